import type { Rule } from '../rule/rule.ts'

/** IgnoredFlag: found by the parser. */
export const ignoredFlag: Rule = {
  name: 'IgnoredFlag',
  description: 'There are no flags that do nothing',
  url: undefined,
  isExperimental: true,
  order: 23,
}
