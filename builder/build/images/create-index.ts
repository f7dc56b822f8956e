import { parsePlatform, typedFailure } from '#core'
import {
  type CreatedIndex,
  type CreateIndexOptions,
  createIndex,
  parseReference,
  withDefaultTag,
} from '#registry-client'
import { reportOutput } from '../deliver.ts'
import { clientFor, type ImageOptions, listenerOf, storeFor } from './image-services.ts'

/** What `createImageIndex` is asked to do. */
export interface ImageIndexOptions
  extends ImageOptions,
    Pick<CreateIndexOptions, 'append' | 'annotations' | 'entryAnnotations' | 'dryRun'> {
  readonly sources: readonly string[]
  readonly tags: readonly string[]
  /** Default: all. */
  readonly platforms?: readonly string[] | undefined
}

/** Makes an index of images in registries: see `createIndex` of the registry client. */
export async function createImageIndex(options: ImageIndexOptions): Promise<CreatedIndex> {
  const { platforms, append, annotations, entryAnnotations, dryRun, signal } = options
  const sources = options.sources.map((name) => withDefaultTag(parseReference(name)))
  const tags = options.tags.map((name) => withDefaultTag(parseReference(name)))
  const wanted = { platforms: platforms?.map(parsePlatform), annotations, entryAnnotations }
  try {
    await using store = storeFor(options)
    await using client = clientFor(options, store.repositories)
    const deps = { onEvent: listenerOf(options), position: 0 }
    return await reportOutput('creating an index', deps, (onProgress) =>
      createIndex(client, { ...wanted, sources, tags, append, dryRun, onProgress, signal }),
    )
  } catch (cause) {
    throw typedFailure('create an index', cause)
  }
}
