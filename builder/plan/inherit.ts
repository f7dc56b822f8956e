import type { ContainerConfig, Platform } from '#core'
import type { ResolvedBase } from './bases.ts'
import { GrowingList, GrowingMap } from './growing.ts'
import { growingConfig } from './stage-config.ts'
import { type StageState, withVariables } from './stage-state.ts'
import type { PlannedHistory, VertexId } from './vertex.ts'

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** `FROM scratch`. */
export function emptyState(platform: Platform): StageState {
  return { ...fresh(platform, { WorkingDir: '/' }), history: GrowingList.of([]), top: undefined }
}

/** `FROM image`: its config, without the triggers, which run now and never again. */
export function baseState(base: ResolvedBase, top: VertexId): StageState {
  const { OnBuild: _consumed, ...inherited } = base.config.config
  const kept = base.config.history.map((entry) => ({ kind: 'kept', entry }) as const)
  const history = GrowingList.of<PlannedHistory>(kept)
  const state = fresh(base.config.platform, inherited)
  const hasFiles = base.layers.length > 0
  return { ...state, author: base.config.author, history, top: hasFiles ? top : undefined }
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

function fresh(platform: Platform, given: ContainerConfig): Omit<StageState, 'history' | 'top'> {
  const config = growingConfig(given)
  const Env = config.Env.has('PATH') ? config.Env : config.Env.with([['PATH', DEFAULT_PATH]])
  return {
    platform,
    config: { ...config, Env },
    author: undefined,
    env: GrowingMap.of(Env),
    envLength: Array.from(Env).reduce((sum, [key, value]) => sum + key.length + value.length, 0),
    historyLength: 0,
    args: GrowingMap.of([]),
    hasOwnCmd: false,
  }
}
