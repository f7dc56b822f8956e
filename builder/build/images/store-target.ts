import type { Store } from '#cache'
import type { Descriptor } from '#core'
import { type CopySink, type PushProgress, reportingBytes } from '#registry-client'

/** How copies get into the store. */
export interface StoreTargetOptions {
  /** Canonical references; none where they are given later. */
  readonly names: readonly string[]
  readonly onProgress: (progress: PushProgress) => void
}

const CONCURRENCY = 4

/** The local store as the target of copies: every blob is verified when it enters. */
export function storeTarget(store: Store, { names, onProgress }: StoreTargetOptions): CopySink {
  return {
    concurrency: CONCURRENCY,
    putBlob: async ({ id, descriptor, open }, { signal }) => {
      const { size } = descriptor
      const isThere = await store.blobs.has(descriptor)
      if (!isThere) {
        const bytes = await reportingBytes({ id, open }, onProgress, size)()
        await store.blobs.put(descriptor, bytes, { signal })
      }
      const end = { id, current: size, total: size, done: true }
      onProgress(isThere ? { ...end, note: 'exists' } : end)
    },
    putManifest: async ({ mediaType, bytes }) =>
      void (await store.blobs.putBytes(mediaType, bytes)),
    name: async ({ descriptor }) => {
      for (const name of names) await store.images.set(name, withoutNotes(descriptor))
    },
  }
}

/** Annotations of an entry in an index are not those of the name. */
export function withoutNotes({ annotations: _, ...descriptor }: Descriptor): Descriptor {
  return descriptor
}
