import type { CacheLocation } from '#builder/options'
import type { Store } from '#cache'
import type { RegistryClient } from '#registry-client'
import { openObjectStore } from '../objects/open-store.ts'
import type { CacheShelf } from './cache-shelf.ts'
import { folderShelf } from './folder-shelf.ts'
import { objectShelf } from './object-shelf.ts'
import { registryShelf } from './registry-shelf.ts'

/** What shelves are made with. */
export interface ShelfDeps {
  readonly store: Store
  readonly client: () => RegistryClient
  /** Whether results are sent to it. */
  readonly isWritten: boolean
}

/** The shelf at a location; nothing is requested yet. */
export function shelfOf(
  location: CacheLocation,
  { client, store, isWritten }: ShelfDeps,
): CacheShelf {
  switch (location.kind) {
    case 'folder':
      return folderShelf(location)
    case 'registry':
      return registryShelf(client(), location.reference)
    default: {
      const temporary = () => store.temporary()
      return objectShelf(location, { open: openObjectStore, temporary, isWritten })
    }
  }
}
