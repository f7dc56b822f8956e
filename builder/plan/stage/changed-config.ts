import { type ContainerConfig, hostPlatform, PersistentList, TsbuildError } from '#core'
import {
  diagnosticsError,
  evaluateGlobals,
  type GlobalScope,
  parseDockerfile,
  parseEnv,
  type StageInstruction,
  stageScope,
} from '#parser'
import { expandWith } from '../variables/expand.ts'
import { changeDirectory } from './paths.ts'
import { imageConfig, stageConfig } from './stage-config.ts'
import {
  applyMetadata,
  type MetadataInstruction,
  type StageState,
  withConfig,
  workingDirectory,
} from './stage-state.ts'

type ChangeKind = Exclude<MetadataInstruction['kind'], 'arg' | 'maintainer'> | 'workdir'
type ChangeInstruction = Extract<StageInstruction, { readonly kind: ChangeKind }>

/** What `docker commit --change` takes, and SHELL. */
const KINDS: ReadonlySet<StageInstruction['kind']> = new Set<ChangeKind>([
  ...(['cmd', 'entrypoint', 'env', 'expose', 'healthcheck', 'label', 'onbuild'] as const),
  ...(['shell', 'stopsignal', 'user', 'volume', 'workdir'] as const),
])
/** Instructions belong to a stage. */
const BASE = 'FROM scratch'
const KEYWORD = /^\s*([A-Za-z]+)/

/**
 * An image's config after instructions of a Dockerfile that change no file, as `docker commit` and `docker import` take
 * them.
 * @param changes an instruction each, or several lines of them
 * @throws {TsbuildError} USAGE for another instruction, or one with mistakes
 */
export function changedConfig(
  config: ContainerConfig,
  changes: readonly string[],
): ContainerConfig {
  const lines = changes.filter((line) => line.trim() !== '')
  if (lines.length === 0) return config
  const { instructions, globals } = parseChanges(lines)
  const { ArgsEscaped, ...given } = config
  let state = startState(given)
  for (const instruction of instructions) state = applyChange(state, instruction, globals)
  const { ArgsEscaped: _ofCommands, ...changed } = imageConfig(state.config, state.scope.env)
  return ArgsEscaped === undefined ? changed : { ...changed, ArgsEscaped }
}

interface Changes {
  readonly instructions: readonly ChangeInstruction[]
  readonly globals: GlobalScope
}

function parseChanges(lines: readonly string[]): Changes {
  for (const line of lines) checkKeyword(KEYWORD.exec(line)?.[1] ?? line)
  const text = [BASE, ...lines].join('\n')
  const { dockerfile, diagnostics } = parseDockerfile(text)
  const failure = diagnosticsError(diagnostics, { filename: 'changes', text })
  if (failure !== undefined) throw failure
  const [stage, second] = dockerfile.stages
  if (second !== undefined) checkKeyword('FROM')
  const { scope: globals } = evaluateGlobals(dockerfile, new Map(), new Map())
  return { instructions: (stage?.instructions ?? []).map(asChange), globals }
}

function asChange(instruction: StageInstruction): ChangeInstruction {
  if (isChange(instruction)) return instruction
  throw refusal(instruction.kind.toUpperCase())
}

function isChange(instruction: StageInstruction): instruction is ChangeInstruction {
  return KINDS.has(instruction.kind)
}

function checkKeyword(word: string): void {
  if (![...KINDS].includes(word.toLowerCase() as ChangeKind)) throw refusal(word)
}

function refusal(word: string): TsbuildError {
  const shown = word.slice(0, 100)
  return new TsbuildError(`${shown} is not a valid change command`, { code: 'USAGE' })
}

/** Not that of a build: a variable PATH is not added. */
function startState(config: ContainerConfig): StageState {
  const platform = hostPlatform()
  return {
    ...{ platform, claimed: platform, hasWindowsLayers: false, author: undefined },
    config: stageConfig(config),
    history: PersistentList.of([]),
    historyLength: 0,
    scope: stageScope(parseEnv(config.Env ?? []), { escape: '\\', isComplete: true }),
    hasOwnCmd: false,
    top: undefined,
  }
}

function applyChange(
  state: StageState,
  instruction: ChangeInstruction,
  globals: GlobalScope,
): StageState {
  if (instruction.kind !== 'workdir') return applyMetadata(state, instruction, globals)
  const path = expandWith(instruction.path, state.scope)
  return withConfig(state, { WorkingDir: changeDirectory(workingDirectory(state), path, 'linux') })
}
