import type { Documents } from '#engine/state'

/** Documents that last as long as the test. */
export function memoryDocuments<T extends { readonly id: string }>(): Documents<T> {
  const known = new Map<string, T>()
  return {
    get: (id) => known.get(id),
    all: () => [...known.values()],
    put: (document) => void known.set(document.id, document),
    note: (document) => void known.set(document.id, document),
    delete: (id) => void known.delete(id),
  }
}
