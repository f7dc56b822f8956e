import type { CacheKey, Candidate, RemoteLayer, ResultSource } from '#cache'
import { type Compression, packedAs, throwIfCancelled } from '#core'
import { CacheReader } from '../index/cache-reader.ts'
import type { SharedBlob, SharedLayer } from '../records/shared-result.ts'
import type { Verifier } from '../records/signatures.ts'
import type { CacheShelf } from '../shelf/cache-shelf.ts'

/** How results are imported. */
export interface ImportOptions {
  /** Of several blobs of a layer the one with this compression is used. */
  readonly compression: Compression
  readonly signal: AbortSignal | undefined
  /** Gets what cannot be read, once for each cache; it counts as not there. */
  readonly onProblem: (cause: unknown) => void
  /** Reports that the cache is opened. */
  readonly report: <T>(read: () => Promise<T>) => Promise<T>
  /** Says which results count; `undefined`: all. */
  readonly verifier: Verifier | undefined
}

/** The results of a cache elsewhere. Its failures are misses. */
export function importedResults(shelf: CacheShelf, options: ImportOptions): ResultSource {
  let isReported = false
  const onProblem = (cause: unknown): void => {
    if (!isReported) options.onProblem(cause)
    isReported = true
  }
  const { signal, report, verifier } = options
  const reader = new CacheReader(shelf, { signal, onProblem, report, verifier })
  const layerOf = (layer: SharedLayer): RemoteLayer => {
    const { diffId, size, presumed } = layer
    const { origin, source } = shelf
    const { signature: _, ...blob } = preferred(layer.blobs, options.compression)
    return { kind: 'remote', diffId, size, presumed, blob, source, origin }
  }
  return {
    find: async (keys, { signal }) => {
      throwIfCancelled(signal, `look results up in ${shelf.name}`)
      const found = await reader.find(keys)
      return [...found].map(([foundBy, { usedOn: _, layer, ...facts }]): Candidate => {
        return { ...facts, foundBy, layer: layerOf(layer) }
      })
    },
    hasFamilies: (families): Promise<ReadonlySet<CacheKey>> => reader.families(families),
  }
}

function preferred(blobs: SharedLayer['blobs'], compression: Compression): SharedBlob {
  return blobs.find((blob) => packedAs(blob) === compression) ?? blobs[0]
}
