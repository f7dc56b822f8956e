import type { Compression, Descriptor } from '#core'
import {
  type Exported,
  type Exporter,
  type ImageOutput,
  type LayerCompression,
  wantedCompression,
} from './exporter.ts'
import { formedImagesOf } from './graph.ts'
import { formedRoot } from './manifests/formed-graph.ts'
import { checkForm } from './manifests/image-form.ts'

/** The images of a container engine. */
interface LoadOutput extends ImageOutput {
  readonly type: 'load'
  /**
   * Default: `auto`, the docker that the user has chosen or that answers at its usual socket, else podman. See
   * docs/load.md
   */
  readonly engine?: 'auto' | 'docker' | 'podman'
  /** A docker context; default: that of docker's own settings. */
  readonly context?: string
  /** Default: uncompressed, since engines unpack what they get. */
  readonly compression?: LayerCompression
}

function compressionOf({ compression = 'uncompressed' }: LoadOutput): Compression {
  return wantedCompression({ compression })
}

/** Loads images into docker or podman, without an archive between. */
export const loadExporter: Exporter<LoadOutput> = {
  takes: 'images',
  compression: compressionOf,
  check: checkForm,
  checkDestination: () => undefined,
  send: (output, exported) =>
    exported.report('loading into the container engine', (onProgress) =>
      load(output, exported, onProgress),
    ),
}

/** Loaded lazily: most builds load into nothing. */
async function load(
  output: LoadOutput,
  exported: Exported,
  onProgress: Parameters<Parameters<Exported['report']>[1]>[0],
): Promise<Descriptor> {
  const [{ loadIntoEngine }, { offerOf }] = await Promise.all([
    import('./container-engine/load.ts'),
    import('./offered-images.ts'),
  ])
  const { images, tags, store, early, environment: env, signal } = exported
  await using temporary = store.temporary()
  const compression = compressionOf(output)
  const packing = { store, early, temporary, compression, form: output, signal }
  const offer = await offerOf(images, tags, packing)
  const { engine = 'auto', context } = output
  await loadIntoEngine(offer, { engine, context, env, folder: temporary.path, onProgress, signal })
  return formedRoot(offer.root, formedImagesOf(images), output)
}
