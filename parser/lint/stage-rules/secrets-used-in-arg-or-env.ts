import type { StageInstruction } from '../../ast/ast.ts'
import { type Findings, findingAt, type Rule } from '../rule/rule.ts'

const SECRET =
  /(?:_|^)(?:apikey|auth|credential|credentials|key|password|pword|passwd|secret|token)(?:_|$)/i
const NO_SECRET = /(?:_|^)(?:public|file|version)(?:_|$)/i

/** SecretsUsedInArgOrEnv: judges by the name alone. */
export const secretsUsedInArgOrEnv: Rule = {
  name: 'SecretsUsedInArgOrEnv',
  description: 'Secrets are not given in ARG or ENV, which stay in the image',
  url: 'https://docs.docker.com/go/dockerfile/rule/secrets-used-in-arg-or-env/',
  isExperimental: false,
  order: 16,
  arg: ({ key, instruction }) => findingsFor(key, instruction),
  step: ({ instruction, entries }) => {
    return entries.flatMap(({ key }) => findingsFor(key.value ?? '', instruction))
  },
}

function findingsFor(key: string, instruction: StageInstruction): Findings {
  if (!SECRET.test(key) || NO_SECRET.test(key)) return []
  const what = `${instruction.kind === 'arg' ? 'ARG' : 'ENV'} ${JSON.stringify(key)}`
  const message = `Do not use ARG or ENV instructions for sensitive data (${what})`
  return [findingAt(instruction, message)]
}
