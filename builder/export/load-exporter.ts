import type { Descriptor } from '#core'
import {
  checkPacked,
  type Exported,
  type Exporter,
  earlyCompression,
  type ImageOutput,
  type LayerCompression,
  type PackedOutput,
  wantedCompression,
} from './exporter.ts'
import { formedImagesOf } from './graph.ts'
import { formedRoot } from './manifests/formed-graph.ts'
import { checkForm } from './manifests/image-form.ts'

/** The images of a container engine. */
interface LoadOutput extends ImageOutput, PackedOutput {
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

function withDefault(output: LoadOutput): PackedOutput {
  return { compression: 'uncompressed', ...output }
}

/** Loads images into docker or podman, without an archive between. */
export const loadExporter: Exporter<LoadOutput> = {
  takes: 'images',
  compression: (output) => earlyCompression(withDefault(output)),
  check: (output, request) => {
    // Engines get the images alone.
    checkForm(output, { ...request, isAttested: false })
    checkPacked(withDefault(output))
  },
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
  const { loadImages } = await import('./load-images.ts')
  const { images, tags, store, early, environment: env, signal } = exported
  await using temporary = store.temporary()
  const compression = wantedCompression(withDefault(output))
  const level = output.compressionLevel
  const { engine = 'auto', context } = output
  const root = await loadImages(images, tags, {
    ...{ store, early, temporary, compression, level, form: output, signal },
    ...{ engine, context, env, folder: temporary.path, onProgress },
  })
  return formedRoot(root, formedImagesOf(images), output)
}
