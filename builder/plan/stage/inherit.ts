import { type ContainerConfig, PersistentList, type Platform } from '#core'
import { childScope, type Dockerfile, parseEnv, stageScope } from '#parser'
import type { ResolvedBase } from '../bases/resolve-base.ts'
import type { PlannedHistory, VertexId } from '../vertices/vertex.ts'
import { changeDirectory, withSeparators } from './paths.ts'
import { stageConfig } from './stage-config.ts'
import { boundedScope, type StageState } from './stage-state.ts'

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** What a stage runs on, and how its words are read. */
export interface StageSetting {
  readonly platform: Platform
  readonly escape: Dockerfile['escape']
}

/** The state of a stage on `FROM scratch`. */
export function emptyState(setting: StageSetting): StageState {
  return {
    ...startState(setting, { WorkingDir: '/' }),
    claimed: setting.platform,
    hasWindowsLayers: false,
    history: PersistentList.of([]),
    top: undefined,
  }
}

/** The state of a stage on an image: its config without the triggers, which run in this build. */
export function baseState(base: ResolvedBase, setting: StageSetting, top: VertexId): StageState {
  const { OnBuild: _consumed, ...inherited } = base.config.config
  const kept = base.config.history.map((entry) => ({ kind: 'kept', entry }) as const)
  const history = PersistentList.of<PlannedHistory>(kept)
  const { author, platform: claimed } = base.config
  const state = startState(setting, inherited)
  const hasFiles = base.layers.length > 0
  const hasWindowsLayers = hasFiles && claimed.os === 'windows'
  return { ...state, claimed, hasWindowsLayers, author, history, top: hasFiles ? top : undefined }
}

/** The state of a stage on another one, whose triggers have become steps of this stage. */
export function childState(parent: StageState): StageState {
  const config = { ...parent.config, OnBuild: PersistentList.of<string>([]) }
  return { ...parent, scope: boundedScope(childScope(parent.scope)), config, hasOwnCmd: false }
}

type StartState = Omit<StageState, 'claimed' | 'hasWindowsLayers' | 'history' | 'top'>

function startState({ platform, escape: mark }: StageSetting, given: ContainerConfig): StartState {
  const { os } = platform
  const entries = parseEnv(given.Env ?? [])
  // Windows has a path of its own.
  const hasPath = os === 'windows' || entries.some(([key]) => key === 'PATH')
  const env = hasPath ? entries : [...entries, ['PATH', DEFAULT_PATH] as const]
  return {
    platform,
    config: { ...stageConfig(given), ...workingDirectory(given.WorkingDir, os) },
    author: undefined,
    scope: stageScope(env, { escape: mark, isComplete: true }),
    historyLength: 0,
    hasOwnCmd: false,
  }
}

/** As a WORKDIR of the stage would leave it. */
function workingDirectory(
  given: string | undefined,
  os: string,
): Pick<ContainerConfig, 'WorkingDir'> {
  if (given === undefined || given === '') return {}
  return { WorkingDir: withSeparators(changeDirectory('/', given, os), os) }
}
