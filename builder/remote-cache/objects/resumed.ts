import { setTimeout } from 'node:timers/promises'
import { type Bytes, type TransferOptions, TsbuildError, throwIfCancelled } from '#core'
import { networkFailure } from '#http'
import type { ObjectStore, StoredBlob } from './object-store.ts'

/** Attempts without a byte. */
const ATTEMPTS = 4
/** Milliseconds. */
const PAUSE = 300

/**
 * Opens a blob, whose bytes go on where they stopped when the connection breaks.
 * @throws {TsbuildError} NOT_FOUND
 */
export async function openResumed(
  store: Pick<ObjectStore, 'open'>,
  blob: StoredBlob,
  options: TransferOptions,
): Promise<Bytes> {
  const first = await store.open(blob, { ...options, from: 0 })
  return resumed(first, { store, blob, ...options })
}

async function* resumed(
  first: Bytes,
  {
    store,
    blob,
    signal,
  }: TransferOptions & {
    readonly store: Pick<ObjectStore, 'open'>
    readonly blob: StoredBlob
  },
): Bytes {
  let bytes = first
  let from = 0
  for (let attempt = 1; ; attempt++) {
    try {
      for await (const chunk of bytes) {
        from += chunk.length
        if (chunk.length > 0) attempt = 0
        yield chunk
      }
      return
    } catch (cause) {
      throwIfCancelled(signal, `read ${blob.key}`)
      if (cause instanceof TsbuildError) throw cause
      if (attempt >= ATTEMPTS || from >= blob.size) throw brokenError(blob, cause)
      await setTimeout(PAUSE * attempt * (0.5 + Math.random()))
      bytes = await store.open(blob, { from, signal })
    }
  }
}

/** What a client throws is not a part of it: it may hold requests. */
function brokenError({ key }: StoredBlob, cause: unknown): TsbuildError {
  const { text } = networkFailure(cause)
  return new TsbuildError(`read ${key}: the connection broke: ${text}`, {
    code: 'REGISTRY_UNREACHABLE',
  })
}
