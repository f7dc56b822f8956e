import { type Healthcheck, type Platform, TsbuildError, unreachable } from '#core'
import {
  type Command,
  type Dockerfile,
  SourceError,
  type StageInstruction,
  trimSpace,
  type Word,
} from '#parser'
import { expandListWith, expandWith } from '../variables/expand.ts'
import type { GrowingList, GrowingMap } from '../variables/growing.ts'
import { type GlobalScope, isSeen } from '../variables/scope.ts'
import type { PlannedHistory, VertexId } from '../vertices/vertex.ts'
import * as history from './history.ts'
import { slashed } from './paths.ts'
import { exposedPorts } from './ports.ts'
import { checkSignal } from './signals.ts'
import type { StageConfig } from './stage-config.ts'

/** What the instructions of a stage have added up to so far. */
export interface StageState {
  /** What its steps run on, and whose paths they have. */
  readonly platform: Platform
  /** What the image says that it is for. */
  readonly claimed: Platform
  /** Its base is one of Windows, whose layers have a form of their own. */
  readonly hasWindowsLayers: boolean
  readonly config: StageConfig
  readonly author: string | undefined
  readonly history: GrowingList<PlannedHistory>
  /** Characters of the history's texts. */
  readonly historyLength: number
  /** What words expand from and processes see: the image's ENV, then ENV and ARG in order. */
  readonly env: GrowingMap<string>
  /** Characters of the names and values in `env`. */
  readonly envLength: number
  /** Declared ARGs, in order, for the history of RUN steps. */
  readonly args: GrowingMap<string>
  /** CMD was given in this stage and not inherited: a later ENTRYPOINT keeps it. */
  readonly hasOwnCmd: boolean
  readonly top: VertexId | undefined
}

export interface FoldScope {
  readonly globals: GlobalScope
  readonly escape: Dockerfile['escape']
}

/** Instructions that change the image and no file. */
export type MetadataInstruction = Exclude<
  StageInstruction,
  { readonly kind: 'run' | 'copy' | 'add' | 'workdir' }
>

type Entries = readonly (readonly [string, string])[]

/** More than any kernel hands to a process. */
const MAX_VARIABLES = 4 * 1024 * 1024
const MAX_HISTORY = 64 * 1024 * 1024

const DEFAULT_SHELL: readonly string[] = ['/bin/sh', '-c']
const WINDOWS_SHELL: readonly string[] = ['cmd', '/S', '/C']

/** Folds one instruction into the state. Pure: what runs or copies is not seen here. */
export function applyMetadata(
  state: StageState,
  instruction: MetadataInstruction,
  scope: FoldScope,
): StageState {
  const expand = (word: Word): string => expandWith(word, state.env, scope.escape)
  switch (instruction.kind) {
    case 'arg':
      return applyArgs(state, instruction.args, scope)
    case 'env': {
      const entries = instruction.entries.map(
        ({ key, value }) => [expand(key), expand(value)] as const,
      )
      return noted(withEnv(state, entries), history.env(entries))
    }
    case 'label': {
      const entries = instruction.entries.map(
        ({ key, value }) => [expand(key), expand(value)] as const,
      )
      const Labels = state.config.Labels.with(entries)
      return noted(withConfig(state, { Labels }), history.label(entries))
    }
    case 'user': {
      const User = expand(instruction.user)
      return noted(withConfig(state, { User }), `USER ${User}`)
    }
    case 'stopsignal': {
      const StopSignal = checkSignal(expand(instruction.signal), instruction.signal)
      return noted(withConfig(state, { StopSignal }), `STOPSIGNAL ${StopSignal}`)
    }
    case 'expose': {
      const ports = exposedPorts(
        instruction.ports.flatMap((word) =>
          expandListWith(word, state.env, scope.escape).map((text) => ({ text, word })),
        ),
      )
      const ExposedPorts = state.config.ExposedPorts.with(ports.map((port) => [port, {}]))
      return noted(withConfig(state, { ExposedPorts }), `EXPOSE [${ports.join(' ')}]`)
    }
    case 'volume': {
      const paths = instruction.paths.map((word) => {
        return volumeOf(expand({ ...word, raw: trimSpace(word.raw) }), word)
      })
      const Volumes = state.config.Volumes.with(paths.map((path) => [path, {}]))
      return noted(withConfig(state, { Volumes }), `VOLUME [${paths.join(' ')}]`)
    }
    case 'shell':
      return noted(
        withConfig(state, { Shell: instruction.shell }),
        `SHELL [${instruction.shell.join(' ')}]`,
      )
    case 'cmd': {
      const Cmd = wrapCommand(state, instruction.command)
      const changed = withConfig(state, { Cmd, ArgsEscaped: true })
      return noted({ ...changed, hasOwnCmd: true }, `CMD ${history.quotedList(Cmd)}`)
    }
    case 'entrypoint': {
      const Entrypoint = wrapCommand(state, instruction.command)
      const changed = withConfig(state, state.hasOwnCmd ? { Entrypoint } : { Entrypoint, Cmd: [] })
      return noted(changed, `ENTRYPOINT ${history.quotedList(Entrypoint)}`)
    }
    case 'healthcheck': {
      const Healthcheck = toHealthcheck(instruction.check)
      return noted(withConfig(state, { Healthcheck }), history.healthcheck(Healthcheck))
    }
    case 'maintainer':
      return noted({ ...state, author: instruction.name }, `MAINTAINER ${instruction.name}`)
    case 'onbuild': {
      const OnBuild = [...(state.config.OnBuild ?? []), instruction.trigger]
      return withConfig(state, { OnBuild })
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

export function shellOf(state: StageState): readonly string[] {
  const { config, claimed } = state
  return config.Shell ?? (claimed.os === 'windows' ? WINDOWS_SHELL : DEFAULT_SHELL)
}

/** Adds the history entry of an instruction that made a layer, or with `undefined` of one that did not. */
export function noted(state: StageState, createdBy: string, vertex?: VertexId): StageState {
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

/** @throws {TsbuildError} UNSUPPORTED where a layer would be of no use to Windows */
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

export function withConfig(state: StageState, change: Partial<StageConfig>): StageState {
  return { ...state, config: { ...state.config, ...change } }
}

function withEnv(state: StageState, entries: Entries): StageState {
  const Env = state.config.Env.with(entries)
  return withVariables(withConfig(state, { Env }), entries)
}

/** Sets what words expand from and processes see, and nothing in the image. */
export function withVariables(state: StageState, entries: Entries): StageState {
  const env = state.env.with(entries)
  let { envLength } = state
  for (const key of new Set(entries.map(([name]) => name))) {
    const before = state.env.get(key)
    const after = env.get(key) ?? ''
    envLength += after.length - (before === undefined ? -key.length : before.length)
  }
  if (envLength <= MAX_VARIABLES) return { ...state, env, envLength }
  throw new TsbuildError(`the variables of this stage have more than ${MAX_VARIABLES} characters`, {
    code: 'DOCKERFILE_INVALID',
    hint: 'no process could be started with them: keep large values in files',
  })
}

/** A build argument wins over the default, the default over the global value of the same name. */
function applyArgs(
  state: StageState,
  declared: readonly { readonly key: string; readonly value: Word | undefined }[],
  scope: FoldScope,
): StageState {
  const { buildArgs, values } = scope.globals
  let current = state
  const texts: string[] = []
  for (const { key, value } of declared) {
    // Unlike the words of ENV, each of ARG sees those before it.
    const fallback = (): string | undefined =>
      value === undefined ? values.get(key) : expandWith(value, current.env, scope.escape)
    const resolved = buildArgs.get(key) ?? fallback()
    current = { ...current, args: current.args.with([[key, resolved ?? '']]) }
    if (resolved !== undefined && isSeen(key)) current = withVariables(current, [[key, resolved]])
    texts.push(resolved === undefined ? key : `${key}=${resolved}`)
  }
  return noted(current, `ARG ${texts.join(' ')}`)
}

function toHealthcheck(
  check: Extract<StageInstruction, { kind: 'healthcheck' }>['check'],
): Healthcheck {
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
