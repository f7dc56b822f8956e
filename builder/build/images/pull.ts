import type { Store } from '#cache'
import {
  type Descriptor,
  hostPlatform,
  type OnEvent,
  parsePlatform,
  TsbuildError,
  typedFailure,
} from '#core'
import {
  copyImage,
  type FetchedManifest,
  familiarReference,
  formatReference,
  type ImageSource,
  type PushProgress,
  parseReference,
  type Reference,
  type RegistryClient,
  withDefaultTag,
} from '#registry-client'
import { reportOutput } from '../deliver.ts'
import { withDigest } from './image-digests.ts'
import { clientFor, type ImageOptions, listenerOf, storeFor } from './image-services.ts'
import { storeTarget, withoutNotes } from './store-target.ts'

/** What `pullImages` is asked to do. */
export interface PullOptions extends ImageOptions {
  readonly name: string
  /** Default: that of this machine. */
  readonly platform?: string | undefined
  /** Every tag of the repository; the name has none then. */
  readonly allTags?: boolean | undefined
  /** What becomes of an image that loses its last name by this. Default: `forgotten`. */
  readonly replaced?: 'forgotten' | 'kept' | undefined
  readonly watch?: PullWatch | undefined
}

/** What happens to each image of a pull. */
export interface PullWatch {
  /** A manifest or an index of it was fetched. */
  readonly fetched: (reference: Reference, document: FetchedManifest, store: Store) => void
  /** Bytes of a blob, by its digest. */
  readonly progress: (progress: PushProgress) => void
  /** It is in the store, under its name. */
  readonly pulled: (image: PulledImage) => void
}

/** An image that the store has now, with all of its layers. */
export interface PulledImage {
  /** Canonical. */
  readonly name: string
  /** What the name points to in the registry: a manifest, or the index that it was chosen from. */
  readonly named: Descriptor
  /** The manifest in the store. */
  readonly descriptor: Descriptor
  /** The store had the same image under this name before. */
  readonly isUnchanged: boolean
}

/**
 * Takes images of a registry into the store, whole: nothing is fetched later. Of an index it is the image of one
 * platform.
 * @throws {TsbuildError} REFERENCE_INVALID, NOT_FOUND, PLATFORM_MISMATCH and registry failures
 */
export async function pullImages(options: PullOptions): Promise<readonly PulledImage[]> {
  try {
    return await pullAll(options)
  } catch (cause) {
    throw typedFailure('pull', cause)
  }
}

async function pullAll(options: PullOptions): Promise<readonly PulledImage[]> {
  const reference = parseReference(options.name)
  const isTagged = reference.tag !== undefined || reference.digest !== undefined
  if (options.allTags === true && isTagged) {
    throw new TsbuildError('tag cannot be used with --all-tags/-a', {
      code: 'USAGE',
      hint: `write ${familiarReference({ registry: reference.registry, repository: reference.repository })}`,
    })
  }
  await using store = storeFor(options)
  await using client = clientFor(options, store.repositories)
  const deps = { store, client, onEvent: listenerOf(options) }
  const pulled: PulledImage[] = []
  for (const wanted of await wantedOf(reference, options, client)) {
    pulled.push(await pullOne(wanted, options, deps))
  }
  return pulled
}

/** Answers that a list of tags may take, of 1000 each. */
const MOST_PAGES = 100

async function wantedOf(
  reference: Reference,
  { allTags = false, signal }: PullOptions,
  client: RegistryClient,
): Promise<readonly Reference[]> {
  if (!allTags) return [withDefaultTag(reference)]
  const tags = await client.repository(reference).tags({ pages: MOST_PAGES, signal })
  return [...tags].sort().map((tag) => ({ ...reference, tag }))
}

interface PullDeps {
  readonly store: Store
  readonly client: RegistryClient
  readonly onEvent: OnEvent
}

async function pullOne(
  reference: Reference,
  { platform, replaced, watch, signal }: PullOptions,
  { store, client, onEvent }: PullDeps,
): Promise<PulledImage> {
  const name = formatReference(reference)
  const before = store.images.get(name)?.descriptor.digest
  const wanted = reference.digest ?? reference.tag ?? ''
  const options = {
    platform: platform === undefined ? hostPlatform() : parsePlatform(platform),
    name: familiarReference(reference),
    signal,
  }
  const repository = client.repository(reference)
  const { root, named } = await reportOutput(
    `pulling ${name}`,
    { onEvent, position: 0 },
    async (report) => {
      const from = watched(repository, (document) => {
        watch?.fetched(reference, document, store)
      })
      const onProgress = (progress: PushProgress): void => {
        report(progress)
        watch?.progress(progress)
      }
      const to = storeTarget(store, { names: [], onProgress })
      const copied = await copyImage({ from, to }, wanted, options)
      const target = withDigest(withoutNotes(copied.root), reference, copied.named.digest)
      await store.images.set(name, target, { replaced })
      return copied
    },
  )
  const pulled = { name, named, descriptor: root, isUnchanged: before === root.digest }
  watch?.pulled(pulled)
  return pulled
}

function watched(source: ImageSource, onFetched: (document: FetchedManifest) => void): ImageSource {
  return {
    open: (descriptor, options) => source.open(descriptor, options),
    fetchManifest: async (tagOrDigest, options) => {
      const document = await source.fetchManifest(tagOrDigest, options)
      onFetched(document)
      return document
    },
  }
}
