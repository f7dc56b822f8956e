import type { EngineDocument, EngineDocuments, EngineKind } from '#cache'
import type { Json } from '#core'

/** Documents of one kind. What a call has written is on the disk when it returns. */
export interface Documents<T extends { readonly id: string }> {
  /** In memory: what was written last. */
  get(id: string): T | undefined
  all(): readonly T[]
  /** @throws {TsbuildError} NO_SPACE, IO_FAILED; then the earlier one still holds */
  put(document: T): void
  /** The same for what a loss of power may take back: how something is at the moment. */
  note(document: T): void
  delete(id: string): void
}

/** Where documents are kept, and which image each of them needs. */
export interface DocumentsOptions<T> {
  readonly database: EngineDocuments
  readonly kind: EngineKind
  readonly imageOf?: (document: T) => string | undefined
}

/** Reads all documents of a kind; this process is the only one that writes them. @throws {TsbuildError} STORE_INVALID */
export function openDocuments<T extends { readonly id: string }>({
  database,
  kind,
  imageOf = () => undefined,
}: DocumentsOptions<T>): Documents<T> {
  const known = new Map<string, T>(
    database.all(kind).map(({ id, document }) => [id, document as unknown as T]),
  )
  const rowOf = (document: T): EngineDocument => {
    const { id } = document
    return { id, document: document as unknown as Json, image: imageOf(document) }
  }
  return {
    get: (id) => known.get(id),
    all: () => [...known.values()],
    put: (document) => {
      database.put(kind, rowOf(document))
      known.set(document.id, document)
    },
    note: (document) => {
      database.note(kind, rowOf(document))
      known.set(document.id, document)
    },
    delete: (id) => {
      database.delete(kind, id)
      known.delete(id)
    },
  }
}
