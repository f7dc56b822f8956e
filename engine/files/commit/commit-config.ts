import { changedConfig } from '#builder/plan'
import type { ContainerConfig } from '#core'
import { type Config, mergeConfig } from '#engine/model'

/** What the config of a committed image is made of. */
export interface ConfigSources {
  /** That of the container. */
  readonly config: Config
  /** What the request asks for instead; where it says nothing, the container's holds. */
  readonly asked?: Config | undefined
  /** Instructions of a Dockerfile. */
  readonly changes?: readonly string[]
}

/** The config of an image of a container. @throws {TsbuildError} USAGE, DOCKERFILE_INVALID for a change */
export function committedConfig({ config, asked, changes = [] }: ConfigSources): ContainerConfig {
  const changed = changedConfig(asked ?? config, changes)
  return asked === undefined ? changed : mergeConfig(changed, config)
}
