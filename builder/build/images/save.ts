import type { Writable } from 'node:stream'
import { type ArchiveWriter, checkFile, tarWriter } from '#builder/export'
import { elsewhereSource, storeSource } from '#builder/plan'
import { elsewhereOf, type NamedImage, type Store } from '#cache'
import { type Digest, type Platform, TsbuildError, typedFailure } from '#core'
import {
  copyImage,
  familiarReference,
  formatReference,
  type ImageSource,
  parseReference,
  type RegistryClient,
  withDefaultTag,
} from '#registry-client'
import { reportOutput } from '../deliver.ts'
import { clientFor, type ImageOptions, listenerOf, storeFor } from './image-services.ts'
import { type ArchiveFormat, LayoutTarget } from './layout-target.ts'

/** What `saveImages` is asked to do. */
export interface SaveOptions extends ImageOptions {
  /** Images of the local store, at least one. */
  readonly names: readonly string[]
  /** A file, or a stream, which is not closed. */
  readonly dest: string | Writable
  /** Default: `docker`, an OCI layout that `docker load` reads, too. */
  readonly format?: ArchiveFormat | undefined
}

/**
 * Writes images of the local store into one tar, as they are: layers are not packed, and digests stay.
 * @throws {TsbuildError} NOT_FOUND before anything is written; USAGE for a destination that cannot be a file
 */
export async function saveImages(options: SaveOptions): Promise<void> {
  const { dest, format } = options
  checkFile(dest)
  try {
    await using store = storeFor(options)
    const images = Map.groupBy(
      options.names.map((name) => findImage(store, name)),
      ({ descriptor }) => descriptor.digest,
    )
    const saved = [...images].map(([digest, named]) => ({
      digest,
      names: [...new Set(named.map(({ name }) => name))],
    }))
    await writeArchive(saved, dest, { ...options, store, format: format ?? 'docker' })
  } catch (cause) {
    throw typedFailure('save', cause)
  }
}

/** An image of the store, and what an archive calls it. */
export interface SavedImage {
  /** Of its manifest, or index. */
  readonly digest: Digest
  /** Canonical references; none for an image without a name. */
  readonly names: readonly string[]
}

/** How archives are written. */
export interface ArchiveOptions extends ImageOptions {
  readonly store: Store
  readonly format: ArchiveFormat
  /** One image of an index; default: the index. */
  readonly platform?: Platform | undefined
}

/** As `saveImages`, for images that are found already. The stream is not closed. */
export async function writeArchive(
  images: readonly SavedImage[],
  dest: string | Writable,
  options: ArchiveOptions,
): Promise<void> {
  const { store, format, platform, signal } = options
  await using client = clientFor(options, store.repositories)
  await using writer: ArchiveWriter = await tarWriter(dest, signal)
  const place = { onEvent: listenerOf(options), position: 0 }
  await reportOutput('saving images', place, async (onProgress) => {
    const target = new LayoutTarget(writer, format, onProgress)
    const from = wholeSource(store, client)
    for (const { digest, names } of images) {
      await copyImage({ from, to: target.sink(names) }, digest, { platform, signal })
    }
    await target.finish()
  })
}

function findImage(store: Store, text: string): NamedImage {
  const reference = withDefaultTag(parseReference(text))
  const named = store.images.get(formatReference(reference))
  if (named !== undefined) return named
  throw new TsbuildError(`no image ${familiarReference(reference)} in the local store`, {
    code: 'NOT_FOUND',
    hint: 'build or pull it, or see `tsbuild images` for what is there',
  })
}

/** The store, with the layers that images of it left in registries. */
function wholeSource(store: Store, client: RegistryClient): ImageSource {
  const source = storeSource(store)
  return {
    ...source,
    open: (descriptor, options) => {
      const place = elsewhereOf(descriptor)
      if (place === undefined) return source.open(descriptor, options)
      return elsewhereSource(place, { store, client: () => client }).open(descriptor, options)
    },
  }
}
