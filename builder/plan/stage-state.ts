import { type ContainerConfig, type Healthcheck, type Platform, unreachable } from '#core'
import type { Command, Dockerfile, StageInstruction, Word } from '#parser'
import { expandListWith, expandWith, type Variables } from './expand.ts'
import * as history from './history.ts'
import { exposedPorts } from './ports.ts'
import { type GlobalScope, isSeen } from './scope.ts'
import { checkSignal } from './signals.ts'
import type { PlannedHistory, VertexId } from './vertex.ts'

/** What the instructions of a stage have added up to so far. */
export interface StageState {
  readonly platform: Platform
  readonly config: ContainerConfig
  readonly author: string | undefined
  readonly history: readonly PlannedHistory[]
  /** What words expand from and processes see: the image's ENV, then ENV and ARG in order. */
  readonly env: Variables
  /** Declared ARGs, in order, for the history of RUN steps. */
  readonly args: ReadonlyMap<string, string>
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

const DEFAULT_SHELL: readonly string[] = ['/bin/sh', '-c']

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
      const Labels = { ...state.config.Labels, ...Object.fromEntries(entries) }
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
      const added = Object.fromEntries(ports.map((port) => [port, {}]))
      const ExposedPorts = { ...state.config.ExposedPorts, ...added }
      return noted(withConfig(state, { ExposedPorts }), `EXPOSE [${ports.join(' ')}]`)
    }
    case 'volume': {
      const paths = instruction.paths.map(expand)
      const added = Object.fromEntries(paths.map((path) => [path, {}]))
      const Volumes = { ...state.config.Volumes, ...added }
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

/** Exec form as it is; shell form behind the stage's shell. */
export function wrapCommand(state: StageState, command: Command): readonly string[] {
  if (command.form === 'exec') return command.args
  return [...shellOf(state), command.script]
}

export function shellOf(state: StageState): readonly string[] {
  return state.config.Shell ?? DEFAULT_SHELL
}

/** Adds the history entry of an instruction that made a layer, or with `undefined` of one that did not. */
export function noted(state: StageState, createdBy: string, vertex?: VertexId): StageState {
  const entry: PlannedHistory = { kind: 'new', createdBy, vertex }
  return { ...state, history: [...state.history, entry], top: vertex ?? state.top }
}

export function withConfig(state: StageState, change: ContainerConfig): StageState {
  return { ...state, config: { ...state.config, ...change } }
}

function withEnv(state: StageState, entries: readonly (readonly [string, string])[]): StageState {
  const env = new Map([...state.env, ...entries])
  const configured = new Map([...parseEnv(state.config.Env ?? []), ...entries])
  return { ...withConfig(state, { Env: formatEnv(configured) }), env }
}

/** `KEY=value` lines as a map; a line without `=` is a variable without a value. */
export function parseEnv(lines: readonly string[]): Variables {
  return new Map(
    lines.map((line) => {
      const at = line.indexOf('=')
      return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)]
    }),
  )
}

export function formatEnv(variables: Variables): readonly string[] {
  return [...variables].map(([key, value]) => `${key}=${value}`)
}

/** A build argument wins over the default, the default over the global value of the same name. */
function applyArgs(
  state: StageState,
  declared: readonly { readonly key: string; readonly value: Word | undefined }[],
  scope: FoldScope,
): StageState {
  const env = new Map(state.env)
  const args = new Map(state.args)
  const texts = declared.map(({ key, value }) => {
    const { buildArgs, values } = scope.globals
    const fallback = (): string | undefined =>
      value === undefined ? values.get(key) : expandWith(value, state.env, scope.escape)
    const resolved = buildArgs.get(key) ?? fallback()
    if (resolved !== undefined && isSeen(key)) env.set(key, resolved)
    args.set(key, resolved ?? '')
    return resolved === undefined ? key : `${key}=${resolved}`
  })
  return noted({ ...state, env, args }, `ARG ${texts.join(' ')}`)
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
