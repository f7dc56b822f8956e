import type {
  EnvInstruction,
  ExposeInstruction,
  LabelInstruction,
  StageInstruction,
  WorkdirInstruction,
} from '../ast/ast.ts'
import { expandList } from '../scope/expand-noting.ts'
import type { StageScope } from '../scope/stage-scope.ts'
import type { Finding } from './linter.ts'
import * as text from './messages.ts'

const SECRET =
  /(?:_|^)(?:apikey|auth|credential|credentials|key|password|pword|passwd|secret|token)(?:_|$)/i
const NO_SECRET = /(?:_|^)(?:public|file|version)(?:_|$)/i
const PROTOCOLS = new Set(['tcp', 'udp', 'sctp'])

/** JSONArgsRecommended: without a SHELL, the shell that takes the signals is nobody's choice. */
export function checkShellForm(
  instruction: StageInstruction,
  scope: StageScope,
): readonly Finding[] {
  if (instruction.kind !== 'cmd' && instruction.kind !== 'entrypoint') return []
  if (instruction.command.form === 'exec' || scope.hasShell) return []
  const message = text.jsonArgsRecommended(instruction.keyword.raw)
  const { range } = instruction
  return [{ rule: 'JSONArgsRecommended', message, range, by: instruction }]
}

/** MultipleInstructionsDisallowed: told of the earlier one, which has no effect. */
export function checkRepetition(
  instruction: StageInstruction,
  { last }: StageScope,
): readonly Finding[] {
  const earlier = last.get(instruction.kind)
  if (earlier === undefined) return []
  const message = text.multipleInstructions(instruction.keyword.raw)
  const { range } = earlier
  return [{ rule: 'MultipleInstructionsDisallowed', message, range, by: instruction }]
}

/** LegacyKeyValueFormat. */
export function checkLegacyFormat(
  instruction: EnvInstruction | LabelInstruction,
): readonly Finding[] {
  if (!instruction.legacy) return []
  const message = text.legacyKeyValue(instruction.keyword.raw)
  const { range } = instruction
  return [{ rule: 'LegacyKeyValueFormat', message, range, by: instruction }]
}

/** SecretsUsedInArgOrEnv: goes by the name alone. */
export function checkSecret(key: string, instruction: StageInstruction): readonly Finding[] {
  if (!SECRET.test(key) || NO_SECRET.test(key)) return []
  const message = text.secretInArgOrEnv(instruction.kind === 'arg' ? 'ARG' : 'ENV', key)
  const { range } = instruction
  return [{ rule: 'SecretsUsedInArgOrEnv', message, range, by: instruction }]
}

/** SecretsUsedInArgOrEnv for the names of an ENV. */
export function checkEnvSecrets(
  instruction: EnvInstruction,
  scope: StageScope,
): readonly Finding[] {
  return instruction.entries.flatMap(({ key }) =>
    checkSecret(scope.expand(key.raw).value ?? '', instruction),
  )
}

/** WorkdirRelativePath: only the first WORKDIR can depend on the base image. */
export function checkWorkdir(
  instruction: WorkdirInstruction,
  scope: StageScope,
): readonly Finding[] {
  const path = scope.expand(instruction.path.raw).value
  if (scope.hasWorkdir || path === undefined) return []
  const isAbsolute = scope.os === 'windows' ? /^(?:[a-z]:)?[\\/]/i.test(path) : path.startsWith('/')
  if (isAbsolute) return []
  const message = text.workdirRelativePath(path)
  const { range } = instruction
  return [{ rule: 'WorkdirRelativePath', message, range, by: instruction }]
}

/** ExposeProtoCasing and ExposeInvalidFormat; a port that the build refuses is left to it. */
export function checkExpose(instruction: ExposeInstruction, scope: StageScope): readonly Finding[] {
  const ports = instruction.ports.flatMap(({ raw }) => expandList(raw, scope.context))
  const { range } = instruction
  return ports.toSorted().flatMap((port): readonly Finding[] => {
    const container = port.slice(port.lastIndexOf(':') + 1)
    const [, protocol = 'tcp'] = container.split(/\/(.*)/s)
    if (!PROTOCOLS.has(protocol.toLowerCase())) return []
    const found: Finding[] = []
    if (protocol !== protocol.toLowerCase()) {
      const message = text.exposeProtoCasing(port)
      found.push({ rule: 'ExposeProtoCasing', message, range, by: instruction })
    }
    if (/[^:]/.test(port.slice(0, port.length - container.length))) {
      const message = text.exposeInvalidFormat(port)
      found.push({ rule: 'ExposeInvalidFormat', message, range, by: instruction })
    }
    return found
  })
}
