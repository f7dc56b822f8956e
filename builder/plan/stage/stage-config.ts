import type { ContainerConfig } from '#core'
import { formatEnv, parseEnv } from '../variables/env-lines.ts'
import { GrowingMap } from '../variables/growing.ts'

type Counted = 'Env' | 'Labels' | 'ExposedPorts' | 'Volumes'

/** An image's config while a stage adds to it: what there can be very many of grows cheaply. */
export interface StageConfig extends Omit<ContainerConfig, Counted> {
  readonly Env: GrowingMap<string>
  readonly Labels: GrowingMap<string>
  readonly ExposedPorts: GrowingMap<Record<string, never>>
  readonly Volumes: GrowingMap<Record<string, never>>
}

export function growingConfig(config: ContainerConfig): StageConfig {
  return {
    ...config,
    Env: GrowingMap.of(parseEnv(config.Env ?? [])),
    Labels: GrowingMap.of(Object.entries(config.Labels ?? {})),
    ExposedPorts: GrowingMap.of(Object.entries(config.ExposedPorts ?? {})),
    Volumes: GrowingMap.of(Object.entries(config.Volumes ?? {})),
  }
}

/** The config as images have it, without what is empty. */
export function finishedConfig(config: StageConfig): ContainerConfig {
  const { Env, Labels, ExposedPorts, Volumes, ...rest } = config
  return {
    ...rest,
    ...(Env.size > 0 ? { Env: formatEnv(Env) } : {}),
    ...(Labels.size > 0 ? { Labels: Object.fromEntries(Labels) } : {}),
    ...(ExposedPorts.size > 0 ? { ExposedPorts: Object.fromEntries(ExposedPorts) } : {}),
    ...(Volumes.size > 0 ? { Volumes: Object.fromEntries(Volumes) } : {}),
  }
}
