import type { Writable } from 'node:stream'
import { type ArchiveWriter, checkFile, tarWriter } from '#builder/export'
import { elsewhereSource, storeSource } from '#builder/plan'
import { elsewhereOf, type NamedImage, type Store } from '#cache'
import { TsbuildError, typedFailure } from '#core'
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
  const { dest, signal } = options
  checkFile(dest)
  const onEvent = listenerOf(options)
  try {
    await using store = storeFor(options)
    await using client = clientFor(options, store.repositories)
    const images = Map.groupBy(
      options.names.map((name) => findImage(store, name)),
      ({ descriptor }) => descriptor.digest,
    )
    await using writer: ArchiveWriter = await tarWriter(dest, signal)
    await reportOutput('saving images', { onEvent, position: 0 }, async (onProgress) => {
      const target = new LayoutTarget(writer, options.format ?? 'docker', onProgress)
      const from = wholeSource(store, client)
      for (const [digest, named] of images) {
        const names = [...new Set(named.map(({ name }) => name))]
        await copyImage({ from, to: target.sink(names) }, digest, { signal })
      }
      await target.finish()
    })
  } catch (cause) {
    throw typedFailure('save', cause)
  }
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
