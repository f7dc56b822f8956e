import type { ContainerConfig, Platform } from '#core'
import type { ResolvedBase } from '../bases/bases.ts'
import { GrowingList, GrowingMap } from '../variables/growing.ts'
import type { PlannedHistory, VertexId } from '../vertices/vertex.ts'
import { changeDirectory, withSeparators } from './paths.ts'
import { growingConfig } from './stage-config.ts'
import { type StageState, withVariables } from './stage-state.ts'

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** `FROM scratch`. */
export function emptyState(platform: Platform): StageState {
  const state = fresh(platform, { WorkingDir: '/' })
  return {
    ...state,
    claimed: platform,
    hasWindowsLayers: false,
    history: GrowingList.of([]),
    top: undefined,
  }
}

/** `FROM image`: its config, without the triggers, which run now and never again. */
export function baseState(base: ResolvedBase, platform: Platform, top: VertexId): StageState {
  const { OnBuild: _consumed, ...inherited } = base.config.config
  const kept = base.config.history.map((entry) => ({ kind: 'kept', entry }) as const)
  const history = GrowingList.of<PlannedHistory>(kept)
  const { author, platform: claimed } = base.config
  const state = fresh(platform, inherited)
  const hasFiles = base.layers.length > 0
  const hasWindowsLayers = hasFiles && claimed.os === 'windows'
  return { ...state, claimed, hasWindowsLayers, author, history, top: hasFiles ? top : undefined }
}

/**
 * `FROM stage`: everything, arguments included; its triggers have become this stage's steps. Where an
 * argument had come after an ENV of its name, ENV counts again, as it does for who builds on an image.
 */
export function childState(parent: StageState): StageState {
  const { OnBuild: _consumed, ...config } = parent.config
  const hidden = Array.from(parent.args).flatMap(([key]) => {
    const value = config.Env.get(key)
    return value === undefined || value === parent.env.get(key) ? [] : [[key, value] as const]
  })
  return { ...withVariables(parent, hidden), config, hasOwnCmd: false }
}

type Fresh = Omit<StageState, 'claimed' | 'hasWindowsLayers' | 'history' | 'top'>

function fresh(platform: Platform, given: ContainerConfig): Fresh {
  const { os } = platform
  const config = growingConfig(given)
  // Windows knows its own path.
  const hasPath = os === 'windows' || config.Env.has('PATH')
  const Env = hasPath ? config.Env : config.Env.with([['PATH', DEFAULT_PATH]])
  return {
    platform,
    config: { ...config, Env, ...workingDirectory(given.WorkingDir, os) },
    author: undefined,
    env: GrowingMap.of(Env),
    envLength: Array.from(Env).reduce((sum, [key, value]) => sum + key.length + value.length, 0),
    historyLength: 0,
    args: GrowingMap.of([]),
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
