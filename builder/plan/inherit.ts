import type { ContainerConfig, Platform } from '#core'
import type { ResolvedBase } from './bases.ts'
import { formatEnv, parseEnv, type StageState } from './stage-state.ts'
import type { VertexId } from './vertex.ts'

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** `FROM scratch`. */
export function emptyState(platform: Platform): StageState {
  const config = withPath({ WorkingDir: '/' })
  return { ...fresh(platform, config), history: [], top: undefined }
}

/** `FROM image`: its config, without the triggers, which run now and never again. */
export function baseState(base: ResolvedBase, top: VertexId): StageState {
  const { OnBuild: _consumed, ...inherited } = base.config.config
  const history = base.config.history.map((entry) => ({ kind: 'kept', entry }) as const)
  const state = fresh(base.config.platform, withPath(inherited))
  const hasFiles = base.layers.length > 0
  return { ...state, author: base.config.author, history, top: hasFiles ? top : undefined }
}

/** `FROM stage`: everything, arguments included; its triggers have become this stage's steps. */
export function childState(parent: StageState): StageState {
  const { OnBuild: _consumed, ...config } = parent.config
  return { ...parent, config, hasOwnCmd: false }
}

function fresh(platform: Platform, config: ContainerConfig): Omit<StageState, 'history' | 'top'> {
  return {
    platform,
    config,
    author: undefined,
    env: parseEnv(config.Env ?? []),
    args: new Map(),
    hasOwnCmd: false,
  }
}

function withPath(config: ContainerConfig): ContainerConfig {
  const env = parseEnv(config.Env ?? [])
  if (env.has('PATH')) return config
  return { ...config, Env: formatEnv(new Map([...env, ['PATH', DEFAULT_PATH]])) }
}
