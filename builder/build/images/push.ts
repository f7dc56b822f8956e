import { pushImages, readFromStore } from '#builder/export'
import { storeSource } from '#builder/plan'
import { elsewhereOf, type Store } from '#cache'
import {
  compressionOf,
  type Descriptor,
  parseManifestOrIndex,
  parsePlatform,
  TsbuildError,
  typedFailure,
} from '#core'
import {
  copyImage,
  familiarReference,
  formatReference,
  type PushProgress,
  parseReference,
  repositoryTarget,
  resolveImage,
  withDefaultTag,
} from '#registry-client'
import { reportOutput } from '../deliver.ts'
import { withDigest } from './image-digests.ts'
import { clientFor, type ImageOptions, listenerOf, storeFor } from './image-services.ts'

/** What `pushFromStore` is asked to do. */
export interface PushOptions extends ImageOptions {
  /** An image of the local store; the registry is part of its name. */
  readonly name: string
  /** As in `BuildOptions`. */
  readonly ignoreChownErrors?: boolean
  /** One image of an index; default: the index. */
  readonly platform?: string
  /** Bytes of a blob, by the digest of a packed one, else by the diffID of the layer. */
  readonly onProgress?: (progress: PushProgress) => void
}

/** What the registry has now. */
export interface PushResult {
  /** Canonical. */
  readonly name: string
  /** The manifest in the registry: with compressed layers, so not the one in the store. */
  readonly descriptor: Descriptor
}

/**
 * Pushes an image of the local store: as it is, if all of its layers came packed, else with its layers packed.
 * @throws {TsbuildError} NOT_FOUND, PLATFORM_MISMATCH, PERMISSION_DENIED and registry failures
 */
export async function pushFromStore(options: PushOptions): Promise<PushResult> {
  try {
    return await push(options)
  } catch (cause) {
    throw typedFailure('push', cause)
  }
}

async function push(options: PushOptions): Promise<PushResult> {
  const { signal } = options
  const onEvent = listenerOf(options)
  const reference = withDefaultTag(parseReference(options.name))
  const name = formatReference(reference)
  await using store = storeFor(options)
  const named = store.images.get(name)
  if (named === undefined) {
    throw new TsbuildError(`no image ${familiarReference(reference)} in the local store`, {
      code: 'NOT_FOUND',
      hint: 'build it with -t, or see `tsbuild images` for what is there',
    })
  }
  await using client = clientFor(options, store.repositories)
  const target = await chooseTarget(store, named.descriptor, options)
  const descriptor = await reportOutput(
    `pushing ${name}`,
    { onEvent, position: 0 },
    async (report) => {
      const onProgress = (progress: PushProgress): void => {
        report(progress)
        options.onProgress?.(progress)
      }
      if (await isPacked(store, target)) {
        const tags = reference.tag === undefined ? [] : [reference.tag]
        const to = repositoryTarget(client.repository(reference), { tags, onProgress })
        return (await copyImage({ from: storeSource(store), to }, target.digest, { signal })).root
      }
      const image = await readFromStore(target, { store, client: () => client })
      return await pushImages(image, [reference], {
        store,
        early: undefined,
        client,
        compression: 'gzip',
        ignoreChownErrors: options.ignoreChownErrors ?? false,
        onProgress,
        signal,
      })
    },
  )
  if (store.images.get(name)?.descriptor.digest === named.descriptor.digest) {
    const { createdAt } = named
    const noted = withDigest(named.descriptor, reference, descriptor.digest)
    await store.images.set(name, noted, { createdAt })
  }
  return { name, descriptor }
}

async function chooseTarget(
  store: Store,
  named: Descriptor,
  { platform, name, signal }: PushOptions,
): Promise<Descriptor> {
  if (platform === undefined) return named
  const options = { platform: parsePlatform(platform), name, signal }
  return (await resolveImage(storeSource(store), named.digest, options)).manifestDescriptor
}

/** Whether an image is as it came from elsewhere: what was made here has plain layers. */
async function isPacked(store: Store, { digest }: Descriptor): Promise<boolean> {
  const { bytes, descriptor } = await storeSource(store).fetchManifest(digest)
  const parsed = parseManifestOrIndex(bytes, descriptor.mediaType)
  if (parsed.kind === 'index') {
    for (const child of parsed.index.manifests) if (!(await isPacked(store, child))) return false
    return true
  }
  return parsed.manifest.layers.every((layer) => {
    return compressionOf(layer.mediaType) !== 'none' && elsewhereOf(layer) === undefined
  })
}
