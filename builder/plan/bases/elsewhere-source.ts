import type { RepositoryName, Store } from '#cache'
import { type BlobSource, type Bytes, type Descriptor, type OpenOptions, TsbuildError } from '#core'
import type { RegistryClient } from '#registry-client'

/** What reading layers that images of the store have elsewhere needs. */
export interface ElsewhereDeps {
  readonly store: Store
  readonly client: () => RegistryClient
}

/** A layer of an image of the store: of the store if it has it, else of the repository that is said to. */
export function elsewhereSource(place: RepositoryName, deps: ElsewhereDeps): BlobSource {
  return {
    open: async (blob, options) => {
      const { store } = deps
      if (await store.blobs.has(blob)) return store.blobs.open(blob, options)
      return openElsewhere(blob, { ...options, place, ...deps })
    },
  }
}

/** From the named repository, or one of the same registry in which it was seen. */
async function openElsewhere(
  blob: Descriptor,
  { place, store, client, ...options }: OpenOptions & ElsewhereDeps & { place: RepositoryName },
): Promise<Bytes> {
  const { registry, repository } = place
  const seen = store.repositories.find(registry, blob.digest)
  let failure: unknown
  for (const name of new Set([repository, ...seen])) {
    try {
      return await client().repository({ registry, repository: name }).open(blob, options)
    } catch (cause) {
      failure ??= cause
      if (!isGone(cause)) throw cause
    }
  }
  throw goneError(blob, place, failure)
}

function isGone(cause: unknown): boolean {
  return (
    cause instanceof TsbuildError &&
    (cause.code === 'NOT_FOUND' || cause.code === 'REGISTRY_DENIED')
  )
}

function goneError(
  { digest }: Descriptor,
  { registry, repository }: RepositoryName,
  cause: unknown,
): TsbuildError {
  const denied = cause instanceof TsbuildError && cause.code === 'REGISTRY_DENIED'
  const what = denied ? 'which does not give it' : 'which does not have it any more'
  return new TsbuildError(
    `layer ${digest} of an image of the store was left in ${registry}/${repository}, ${what}`,
    {
      code: denied ? 'REGISTRY_DENIED' : 'NOT_FOUND',
      cause,
      hint: `log in (tsbuild login ${registry}), or build the image again; without --push the store has all of it`,
    },
  )
}
