import { type ContainerConfig, PersistentList, PersistentMap } from '#core'
import type { Variables } from '#parser'
import { formatEnv } from '../variables/env-lines.ts'

type Collected = 'Labels' | 'ExposedPorts' | 'Volumes' | 'OnBuild'

/** An image's config without its environment while a stage adds to it. */
export interface StageConfig extends Omit<ContainerConfig, Collected | 'Env'> {
  readonly Labels: PersistentMap<string>
  readonly ExposedPorts: PersistentMap<Record<string, never>>
  readonly Volumes: PersistentMap<Record<string, never>>
  readonly OnBuild: PersistentList<string>
}

/** The config that a stage on an image begins with. */
export function stageConfig({ Env: _scoped, ...config }: ContainerConfig): StageConfig {
  return {
    ...config,
    Labels: PersistentMap.of(Object.entries(config.Labels ?? {})),
    ExposedPorts: PersistentMap.of(Object.entries(config.ExposedPorts ?? {})),
    Volumes: PersistentMap.of(Object.entries(config.Volumes ?? {})),
    OnBuild: PersistentList.of(config.OnBuild ?? []),
  }
}

/** The config of the image that a stage makes, without what is empty. */
export function imageConfig(config: StageConfig, env: Variables): ContainerConfig {
  const { Labels, ExposedPorts, Volumes, OnBuild, ...rest } = config
  const Env = formatEnv(env)
  return {
    ...rest,
    ...(Env.length > 0 ? { Env } : {}),
    ...(Labels.size > 0 ? { Labels: Object.fromEntries(Labels) } : {}),
    ...(ExposedPorts.size > 0 ? { ExposedPorts: Object.fromEntries(ExposedPorts) } : {}),
    ...(Volumes.size > 0 ? { Volumes: Object.fromEntries(Volumes) } : {}),
    ...(OnBuild.length > 0 ? { OnBuild: [...OnBuild] } : {}),
  }
}
