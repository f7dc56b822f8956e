import { type Bytes, type Digest, type Platform, TsbuildError, typedFailure } from '#core'
import { copyImage, formatReference, parseReference, withDefaultTag } from '#registry-client'
import { reportOutput } from '../deliver.ts'
import { readArchiveFiles } from './archive-files.ts'
import { type ArchivedImage, archiveSource } from './archive-source.ts'
import { type ImageOptions, listenerOf, storeFor } from './image-services.ts'
import { storeTarget, withoutNotes } from './store-target.ts'

/** What `loadImages` is asked to do. */
export interface LoadOptions extends Pick<ImageOptions, 'root' | 'onEvent' | 'signal'> {
  /** An OCI or a docker archive, also packed. */
  readonly archive: Bytes
  /** Of the archive, for messages. */
  readonly label: string
  /** For the only image of an archive that names none. */
  readonly name?: string | undefined
  /** What becomes of images that have no name, in the archive or by this. Default: `refused`, and `forgotten`. */
  readonly unnamed?: 'kept' | undefined
  /** One image of each index; default: the index. */
  readonly platform?: Platform | undefined
}

/** An image that was in the archive. */
export interface LoadedImage {
  /** Canonical. */
  readonly names: readonly string[]
  /** Of what it is in the store: a manifest, or an index. */
  readonly digest: Digest
}

/**
 * Takes the images of an archive into the store, as they are there. Names are set when all of them are complete.
 * @throws {TsbuildError} LAYER_INVALID, MANIFEST_INVALID, NOT_FOUND for an archive that is damaged; USAGE where a
 *   name is missing
 */
export async function loadImages(options: LoadOptions): Promise<readonly LoadedImage[]> {
  const { archive, label, platform, unnamed, signal } = options
  const onEvent = listenerOf(options)
  try {
    await using store = storeFor(options)
    await using temporary = store.temporary()
    return await reportOutput(`loading ${label}`, { onEvent, position: 0 }, async (onProgress) => {
      const files = await readArchiveFiles(archive, { name: label, folder: temporary.path, signal })
      const { images, source } = archiveSource(files, label)
      const loaded = withNames(images, options)
      const to = storeTarget(store, { names: [], onProgress })
      const copies = []
      for (const { digest, names } of loaded) {
        const { root } = await copyImage({ from: source, to }, digest, { platform, signal })
        copies.push({ names, root: withoutNotes(root) })
      }
      for (const { names, root } of copies) {
        for (const name of names) await store.images.set(name, root, { replaced: unnamed })
        if (names.length === 0) await store.images.keep(root)
      }
      return copies.map(({ names, root: { digest } }) => ({ names, digest }))
    })
  } catch (cause) {
    throw typedFailure('load', cause)
  }
}

function withNames(
  images: readonly ArchivedImage[],
  { name, label, unnamed }: LoadOptions,
): readonly LoadedImage[] {
  if (images.length === 0) {
    throw new TsbuildError(`load ${label}: it has no image`, { code: 'MANIFEST_INVALID' })
  }
  const isOnly = images.length === 1
  return images.map(({ names, digest }) => {
    const given = name !== undefined && isOnly && names.length === 0 ? [name] : names
    if (given.length > 0 || unnamed === 'kept') return { digest, names: given.map(canonical) }
    throw new TsbuildError(`load ${label}: image ${digest} has no name there`, {
      code: 'USAGE',
      hint: isOnly
        ? 'give it one with --name'
        : 'save it with a name: the store keeps what has one',
    })
  })
}

function canonical(name: string): string {
  return formatReference(withDefaultTag(parseReference(name)))
}
