import { setTimeout } from 'node:timers/promises'
import { describeDocument, digestOf, hexOf, type TransferOptions } from '#core'
import {
  type FetchedManifest,
  familiarReference,
  type Reference,
  type RegistryClient,
  type Repository,
} from '#registry-client'
import { type CacheShelf, type Entries, isMissing } from './cache-shelf.ts'

/** A cache in a repository of a registry, under a tag, or under a digest to be read only. */
export function registryShelf(client: RegistryClient, reference: Reference): CacheShelf {
  const repository = client.repository(reference)
  const { registry } = reference
  const wanted = reference.digest ?? reference.tag ?? 'latest'
  return {
    name: familiarReference(reference),
    origin: { registry, repository: reference.repository },
    source: repository,
    readIndex: (options) => fetchNamed(repository, wanted, options),
    readManifest: (digest, options) => repository.fetchManifest(digest, options),
    mountBlob: (blob, from, options) => {
      const near = from.filter((one) => one.registry === registry)
      return repository.takeOver(blob, {
        ...options,
        from: near.map((one) => one.repository),
      })
    },
    putBlob: (blob, open, options) => repository.put(blob, open, options),
    streamBlob: (mediaType, open, options) => repository.upload(mediaType, open, options),
    putManifest: async (document, options) => {
      const descriptor = describeDocument(document)
      await repository.putManifest(descriptor.digest, document, options)
      return descriptor
    },
    putIndex: async (document, options) => {
      await repository.putManifest(wanted, document, options)
    },
    writers: { kind: 'entries', ...taggedEntries(repository, wanted) },
    // The connections are the client's.
    [Symbol.asyncDispose]: async () => undefined,
  }
}

/** Milliseconds. */
const PAUSE = 150

/** Some registries lose a tag for a moment while it is written: what is not there is asked for twice. */
async function fetchNamed(
  repository: Repository,
  tag: string,
  options: TransferOptions,
): Promise<FetchedManifest> {
  try {
    return await repository.fetchManifest(tag, options)
  } catch (cause) {
    if (!isMissing(cause)) throw cause
    await setTimeout(PAUSE)
    return await repository.fetchManifest(tag, options)
  }
}

/** Characters of a tag, of which an entry adds less than 32. */
const LONGEST_TAG = 96
/** Of up to a thousand tags each. */
const PAGES = 4

/** Entries under tags of their own: `TAG-e-NAME`. */
function taggedEntries(repository: Repository, tag: string): Entries {
  const stem = tag.length > LONGEST_TAG ? `cache-${hexOf(digestOf(tag))}` : tag
  const prefix = `${stem}-e-`
  return {
    list: async (after, { signal }) => {
      const last = `${prefix}${after}`
      const tags = await repository.tags({ after: last, pages: PAGES, signal }).catch(noneWithout)
      const names = tags.flatMap((one) =>
        one.startsWith(prefix) && one > last ? [one.slice(prefix.length)] : [],
      )
      return names.sort()
    },
    read: (name, options) => repository.fetchManifest(prefix + name, options),
    put: async (name, document, options) => {
      await repository.putManifest(prefix + name, document, options)
      return describeDocument(document)
    },
    remove: (digest, options) => repository.deleteManifest(digest, options),
  }
}

/** A repository that does not exist yet has no tags. */
function noneWithout(cause: unknown): readonly string[] {
  if (isMissing(cause)) return []
  throw cause
}
