import type { Rule } from '../rule/rule.ts'

/** NoEmptyContinuation: found by the parser. */
export const noEmptyContinuation: Rule = {
  name: 'NoEmptyContinuation',
  description: 'A blank line inside an instruction will be an error one day',
  url: 'https://docs.docker.com/go/dockerfile/rule/no-empty-continuation/',
  isExperimental: false,
  order: 3,
}
