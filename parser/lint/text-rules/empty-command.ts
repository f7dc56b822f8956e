import type { Rule } from '../rule/rule.ts'

/** EmptyCommand: found by the parser. */
export const emptyCommand: Rule = {
  name: 'EmptyCommand',
  description: 'CMD, ENTRYPOINT and RUN have a command',
  url: undefined,
  isExperimental: true,
  order: 24,
}
