import { splitName } from '#builder'
import type { Descriptor, ImageConfig, JsonObject, Manifest } from '#core'

/** An image of the store or of a registry. */
export interface InspectedImage {
  /** Canonical. */
  readonly names: readonly string[]
  /** What the names point to. */
  readonly target: Descriptor
  readonly descriptor: Descriptor
  readonly manifest: Manifest
  readonly config: ImageConfig
}

/** An image as `docker image inspect` describes it: what `--format` sees. */
export function dockerDocument(image: InspectedImage): JsonObject {
  const { names, target, manifest, config } = image
  const { platform } = config
  const split = names.map(splitName)
  const repositories = new Set(split.map(({ repository }) => repository))
  return {
    Id: manifest.config.digest,
    RepoTags: split.map(({ repository, tag }) => `${repository}:${tag}`),
    RepoDigests: [...repositories].map((repository) => `${repository}@${target.digest}`),
    Created: config.created ?? '',
    Author: config.author ?? '',
    Architecture: platform.architecture,
    Variant: platform.variant ?? '',
    Os: platform.os,
    Size: manifest.layers.reduce((sum, { size }) => sum + size, 0),
    Config: JSON.parse(JSON.stringify(withDefaults(config))) as JsonObject,
    RootFS: { Type: 'layers', Layers: [...config.diffIds] },
  }
}

/** Docker shows these even where an image has none. */
function withDefaults({ config }: ImageConfig): object {
  return { User: '', Env: [], Cmd: null, WorkingDir: '', Entrypoint: null, Labels: null, ...config }
}
