import type { ObjectPlace } from '#builder/options'
import type { ObjectStore, TendedStore } from './object-store.ts'

/** A store that is open. */
export interface OpenedStore {
  readonly store: ObjectStore
  /** The same one, if its objects can be tended; `undefined`: the service does that itself. */
  readonly tended: TendedStore | undefined
}

/** Opens the store of a place, whose client is loaded now. Nothing is requested yet. */
export async function openObjectStore(place: ObjectPlace): Promise<OpenedStore> {
  switch (place.kind) {
    case 's3': {
      const { S3Store } = await import('./s3-store.ts')
      return tended(new S3Store(place))
    }
    case 'azblob': {
      const { AzureStore } = await import('./azure-store.ts')
      return tended(new AzureStore(place))
    }
    case 'gha': {
      const { ActionsStore } = await import('./actions-store.ts')
      return { store: new ActionsStore(place), tended: undefined }
    }
  }
}

function tended(store: TendedStore): OpenedStore {
  return { store, tended: store }
}
