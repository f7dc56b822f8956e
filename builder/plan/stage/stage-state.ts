import {
  type Healthcheck,
  type PersistentList,
  type Platform,
  TsbuildError,
  unreachable,
} from '#core'
import {
  type ArgInstruction,
  applyEnv,
  type Command,
  declareArg,
  type EnvInstruction,
  type GlobalScope,
  SourceError,
  type StageInstruction,
  type StageScope,
  trimSpace,
  type Word,
} from '#parser'
import { checkDefault, expandedValue, expandListWith, expandWith } from '../variables/expand.ts'
import type { PlannedHistory, VertexId } from '../vertices/vertex.ts'
import * as history from './history.ts'
import { slashed } from './paths.ts'
import { exposedPorts } from './ports.ts'
import { checkSignal } from './signals.ts'
import type { StageConfig } from './stage-config.ts'

/** The result of the instructions of a stage so far. */
export interface StageState {
  /** The platform of the steps and of their paths. */
  readonly platform: Platform
  /** The platform in the config of the image. */
  readonly claimed: Platform
  /** True on a base image for Windows, whose layers have a different form. */
  readonly hasWindowsLayers: boolean
  readonly config: StageConfig
  readonly author: string | undefined
  readonly history: PersistentList<PlannedHistory>
  /** Characters of the history's texts. */
  readonly historyLength: number
  /** ENV and ARG. */
  readonly scope: StageScope
  /** CMD was given in this stage and not inherited: a later ENTRYPOINT keeps it. */
  readonly hasOwnCmd: boolean
  readonly top: VertexId | undefined
}

/** Instructions that change the image and no file. */
export type MetadataInstruction = Exclude<
  StageInstruction,
  { readonly kind: 'run' | 'copy' | 'add' | 'workdir' }
>

/** More than any kernel hands to a process. */
const MAX_VARIABLES = 4 * 1024 * 1024
const MAX_HISTORY = 64 * 1024 * 1024

const DEFAULT_SHELL: readonly string[] = ['/bin/sh', '-c']
const WINDOWS_SHELL: readonly string[] = ['cmd', '/S', '/C']

/** Applies an instruction that changes the image and no file. Pure. */
export function applyMetadata(
  state: StageState,
  instruction: MetadataInstruction,
  globals: GlobalScope,
): StageState {
  switch (instruction.kind) {
    case 'arg':
      return applyArgs(state, instruction, globals)
    case 'env':
      return applyVariables(state, instruction)
    case 'label':
    case 'expose':
    case 'volume':
      return addEntries(state, instruction)
    case 'shell':
    case 'cmd':
    case 'entrypoint':
      return applyCommand(state, instruction)
    case 'user': {
      const User = expandWith(instruction.user, state.scope)
      return addHistory(withConfig(state, { User }), `USER ${User}`)
    }
    case 'stopsignal': {
      const { signal } = instruction
      const StopSignal = checkSignal(expandWith(signal, state.scope), signal)
      return addHistory(withConfig(state, { StopSignal }), `STOPSIGNAL ${StopSignal}`)
    }
    case 'healthcheck': {
      const Healthcheck = toHealthcheck(instruction.check)
      return addHistory(withConfig(state, { Healthcheck }), history.healthcheck(Healthcheck))
    }
    case 'maintainer':
      return addHistory({ ...state, author: instruction.name }, `MAINTAINER ${instruction.name}`)
    case 'onbuild':
      return withConfig(state, { OnBuild: state.config.OnBuild.add(instruction.trigger) })
    default:
      return unreachable(instruction)
  }
}

type Metadata<Kind extends MetadataInstruction['kind']> = Extract<
  MetadataInstruction,
  { readonly kind: Kind }
>

/** Adds to one of the maps of the config. */
function addEntries(
  state: StageState,
  instruction: Metadata<'label' | 'expose' | 'volume'>,
): StageState {
  const { config, scope } = state
  const expand = (word: Word): string => expandWith(word, scope)
  switch (instruction.kind) {
    case 'label': {
      const entries = instruction.entries.map(
        ({ key, value }) => [expand(key), expand(value)] as const,
      )
      const Labels = config.Labels.with(entries)
      return addHistory(withConfig(state, { Labels }), history.label(entries))
    }
    case 'expose': {
      const ports = exposedPorts(
        instruction.ports.flatMap((word) =>
          expandListWith(word, scope).map((text) => ({ text, word })),
        ),
      )
      const ExposedPorts = config.ExposedPorts.with(ports.map((port) => [port, {}]))
      return addHistory(withConfig(state, { ExposedPorts }), `EXPOSE [${ports.join(' ')}]`)
    }
    case 'volume': {
      const paths = instruction.paths.map((word) => {
        return volumeOf(expand({ ...word, raw: trimSpace(word.raw) }), word)
      })
      const Volumes = config.Volumes.with(paths.map((path) => [path, {}]))
      return addHistory(withConfig(state, { Volumes }), `VOLUME [${paths.join(' ')}]`)
    }
    default:
      return unreachable(instruction)
  }
}

/** Sets what a container runs, or the shell that it is run by. */
function applyCommand(
  state: StageState,
  instruction: Metadata<'shell' | 'cmd' | 'entrypoint'>,
): StageState {
  switch (instruction.kind) {
    case 'shell': {
      const { shell: Shell } = instruction
      return addHistory(withConfig(state, { Shell }), `SHELL [${Shell.join(' ')}]`)
    }
    case 'cmd': {
      const Cmd = wrapCommand(state, instruction.command)
      const changed = withConfig(state, { Cmd, ArgsEscaped: true })
      return addHistory({ ...changed, hasOwnCmd: true }, `CMD ${history.quotedList(Cmd)}`)
    }
    case 'entrypoint': {
      const Entrypoint = wrapCommand(state, instruction.command)
      const changed = withConfig(state, state.hasOwnCmd ? { Entrypoint } : { Entrypoint, Cmd: [] })
      return addHistory(changed, `ENTRYPOINT ${history.quotedList(Entrypoint)}`)
    }
    default:
      return unreachable(instruction)
  }
}

function volumeOf(path: string, { range }: Word): string {
  if (path !== '') return path
  throw new SourceError('VOLUME specified can not be an empty string', {
    code: 'DOCKERFILE_INVALID',
    ranges: [range],
    hint: 'give the variable a value, or remove the volume',
  })
}

/** Exec form as it is; shell form behind the stage's shell. */
export function wrapCommand(state: StageState, command: Command): readonly string[] {
  if (command.form === 'exec') return command.args
  return [...shellOf(state), command.script]
}

/** The shell that runs the shell form: SHELL, else the one of the system. */
export function shellOf(state: StageState): readonly string[] {
  const { config, claimed } = state
  return config.Shell ?? (claimed.os === 'windows' ? WINDOWS_SHELL : DEFAULT_SHELL)
}

/** Adds the history entry of an instruction that made a layer, or with `undefined` of one that did not. */
export function addHistory(state: StageState, createdBy: string, vertex?: VertexId): StageState {
  const historyLength = state.historyLength + createdBy.length
  if (historyLength > MAX_HISTORY) {
    throw new TsbuildError(`the history of this stage has more than ${MAX_HISTORY} characters`, {
      code: 'DOCKERFILE_INVALID',
      hint: 'every RUN lists all arguments with their values: declare fewer, or shorter ones',
    })
  }
  const history = state.history.add({ kind: 'new', createdBy, vertex })
  return { ...state, history, historyLength, top: vertex ?? state.top }
}

/** Refuses to add a layer to an image for Windows. @throws {TsbuildError} UNSUPPORTED */
export function refuseWindowsLayers({ hasWindowsLayers }: StageState): void {
  if (!hasWindowsLayers) return
  throw new TsbuildError('cannot add files to a base image of Windows', {
    code: 'UNSUPPORTED',
    hint: 'its layers have a form of their own: change its settings only, or build FROM scratch',
  })
}

/** Where relative paths of the stage begin, with slashes on every system. */
export function workingDirectory({ config, platform }: StageState): string {
  return slashed(config.WorkingDir ?? '/', platform.os)
}

/** The state with other settings of the image. */
export function withConfig(state: StageState, change: Partial<StageConfig>): StageState {
  return { ...state, config: { ...state.config, ...change } }
}

/**
 * Checks the bound on the variables of a stage.
 * @throws {TsbuildError} DOCKERFILE_INVALID for more than a process can have
 */
export function boundedScope(scope: StageScope): StageScope {
  if (scope.length <= MAX_VARIABLES) return scope
  throw new TsbuildError(`the variables of this stage have more than ${MAX_VARIABLES} characters`, {
    code: 'DOCKERFILE_INVALID',
    hint: 'no process could be started with them: keep large values in files',
  })
}

function applyVariables(state: StageState, instruction: EnvInstruction): StageState {
  const { entries, scope } = applyEnv(state.scope, instruction)
  const texts = entries.map(({ key, value }, index) => {
    const written = instruction.entries[index]
    if (written === undefined) throw new Error('applyEnv gives one entry for each that is written')
    return [expandedValue(key, written.key), expandedValue(value, written.value)] as const
  })
  return addHistory({ ...state, scope: boundedScope(scope) }, history.env(texts))
}

function applyArgs(
  state: StageState,
  instruction: ArgInstruction,
  globals: GlobalScope,
): StageState {
  let { scope } = state
  const texts: string[] = []
  for (const declaration of instruction.args) {
    const { declared, scope: next } = declareArg(scope, declaration, { instruction, globals })
    checkDefault(declared)
    scope = boundedScope(next)
    const { key, value } = declared
    texts.push(value === undefined ? key : `${key}=${value}`)
  }
  return addHistory({ ...state, scope }, `ARG ${texts.join(' ')}`)
}

function toHealthcheck(check: Metadata<'healthcheck'>['check']): Healthcheck {
  if (check === undefined) return { Test: ['NONE'] }
  const { command, interval, timeout, startPeriod, startInterval, retries } = check
  const Test = command.form === 'exec' ? ['CMD', ...command.args] : ['CMD-SHELL', command.script]
  return {
    Test,
    ...(interval ? { Interval: interval } : {}),
    ...(timeout ? { Timeout: timeout } : {}),
    ...(startPeriod ? { StartPeriod: startPeriod } : {}),
    ...(startInterval ? { StartInterval: startInterval } : {}),
    ...(retries ? { Retries: retries } : {}),
  }
}
