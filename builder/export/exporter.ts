import type { Store } from '#cache'
import { type Compression, type Descriptor, type Spans, TsbuildError } from '#core'
import type { PushProgress, Reference, RegistryClient } from '#registry-client'
import type { SignGraph } from '#signing'
import type { ImageSet } from './image.ts'
import type { LayerBlobs } from './layers/layer-blob.ts'
import type { FormedImages, ImageForm } from './manifests/image-form.ts'
import type { RegistrySinkOptions } from './registry-sink.ts'

/** How the layers of an output are packed. */
export type LayerCompression = 'uncompressed' | 'gzip' | 'zstd' | 'zstd:chunked'

/** What outputs of images have in common. */
export interface ImageOutput extends ImageForm {
  /** No file of a new layer is newer than `SOURCE_DATE_EPOCH`. Default: false. */
  readonly rewriteTimestamp?: boolean
}

/** What a mistake in an output can depend on. */
export interface OutputRequest extends FormedImages {
  readonly tags: readonly Reference[]
  /** Rights that the user grants. */
  readonly allow: readonly string[]
}

/** How the files of images are written; see the output that has the options. */
interface TreesOptions {
  readonly format: 'local' | 'tar'
  readonly mode: 'copy' | 'delete'
  readonly platformSplit: boolean | undefined
  readonly attestationPrefix: string | undefined
}

/** The result of a build, and what is needed to send it somewhere. */
export interface Exported {
  readonly images: ImageSet
  /** The names that the result gets. */
  readonly tags: readonly Reference[]
  /** Those that the result is pushed to, before or after: what they have need not be fetched for the store. */
  readonly registries: ReadonlySet<string>
  readonly store: Store
  readonly early: LayerBlobs['early']
  /** Layers that are sent to a registry before. */
  readonly uploads: RegistrySinkOptions['uploads']
  /** Opens the client when it is first called. */
  readonly client: () => RegistryClient
  /** Signs what has no name yet; `undefined`: that is not asked for. */
  readonly sign: SignGraph | undefined
  /** Push layers, too, of which some files have owners that are presumed. */
  readonly ignoreChownErrors: boolean
  /** Writes the files of the images to a folder, a file, or the descriptor of a file. */
  readonly writeTrees: (to: string | number, options: TreesOptions) => Promise<void>
  /**
   * Reports `send` as a vertex of this name, with the manifest or index that it returns.
   * @param names that this has there. Default: none
   */
  readonly report: <T extends Descriptor | undefined>(
    name: string,
    send: (onProgress: (progress: PushProgress) => void) => Promise<T>,
    names?: readonly string[],
  ) => Promise<T>
  /** Says which container engine is used, and how. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly spans: Spans
  readonly signal: AbortSignal | undefined
}

/** One type of output. A new one is a file with an exporter and a line in `exporters.ts`. */
export interface Exporter<O extends { readonly type: string }> {
  /** `files`: no layer has to be packed for it. */
  readonly takes: 'images' | 'files'
  /** How it has layers compressed that were made here, as far as that is worth doing early. */
  compression(output: O): Compression
  /** Finds mistakes that need no look at this machine. @throws {TsbuildError} USAGE */
  check(output: O, request: OutputRequest): void
  /**
   * Finds a destination that could not be written after all the work.
   * @throws {TsbuildError} USAGE, PERMISSION_DENIED
   */
  checkDestination(output: O, request: OutputRequest): void
  /** @returns the manifest or index that was written; `undefined` for files */
  send(output: O, exported: Exported): Promise<Descriptor | undefined>
}

/** How outputs have layers packed. */
export interface PackedOutput {
  /** Of layers that were made here. Default: gzip. */
  readonly compression?: LayerCompression
  /** From little and fast to well and slow: gzip 0 to 9, zstd 1 to 22. Default: a balance. */
  readonly compressionLevel?: number
  /** Layers from elsewhere are packed in the same way. Default: false. */
  readonly forceCompression?: boolean
}

const MAX_LEVELS = { gzip: 9, zstd: 22, 'zstd:chunked': 22 } as const

/** @throws {TsbuildError} USAGE for a level that the compression does not have */
export function checkPacked(output: PackedOutput & ImageForm): void {
  const { compressionLevel: level, ociMediaTypes = true } = output
  if (output.compression === 'zstd:chunked' && !ociMediaTypes) {
    throw new TsbuildError('cannot export compression=zstd:chunked with "oci-mediatypes=false"', {
      code: 'USAGE',
      hint: "docker's manifests do not say where the files of a layer are: leave one of them out",
    })
  }
  if (level === undefined) return
  const compression = wantedCompression(output)
  if (compression === 'none') {
    throw new TsbuildError('uncompressed layers have no compression-level', {
      code: 'USAGE',
      hint: 'leave compression-level out, or choose gzip or zstd',
    })
  }
  const most = MAX_LEVELS[compression]
  const least = compression === 'gzip' ? 0 : 1
  if (Number.isInteger(level) && level >= least && level <= most) return
  throw new TsbuildError(`invalid compression-level ${level}`, {
    code: 'USAGE',
    hint: `${compression} has levels from ${least} to ${most}`,
  })
}

/** What is worth being packed early for an output: not in a way that it alone asks for. */
export function earlyCompression(output: PackedOutput): Compression {
  return output.compressionLevel === undefined ? wantedCompression(output) : 'none'
}

/** The compression of layers that an output asks for; gzip unless it says otherwise. */
export function wantedCompression({
  compression = 'gzip',
}: {
  readonly compression?: LayerCompression
}): Compression {
  return compression === 'uncompressed' ? 'none' : compression
}
