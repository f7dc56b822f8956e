import type { Descriptor } from './descriptor.ts'

/** Bytes on their way: read once, in order, never held as a whole. */
export type Bytes = AsyncIterable<Uint8Array>

/** Options of everything that moves bytes. */
export interface TransferOptions {
  readonly signal?: AbortSignal | undefined
}

/** How a blob is opened. */
export interface OpenOptions extends TransferOptions {
  /** `receiver`: it checks size and digest itself, and the source need not. Default: `source`. */
  readonly checkedBy?: 'source' | 'receiver'
}

/** Where blobs come from: the local store, a registry, an OCI layout, memory. */
export interface BlobSource {
  /**
   * Opens a blob. The bytes are verified against size and digest while they flow; a mismatch throws
   * at the end of the iteration, so nothing may be trusted before the iterator has finished.
   * @throws {TsbuildError} NOT_FOUND, DIGEST_MISMATCH, SIZE_MISMATCH
   */
  open(descriptor: Descriptor, options?: OpenOptions): Promise<Bytes>
}

/** Where blobs go. */
export interface BlobSink {
  has(descriptor: Descriptor, options?: TransferOptions): Promise<boolean>
  /**
   * Stores a blob under its digest; a no-op when it is there already.
   * @throws {TsbuildError} DIGEST_MISMATCH, SIZE_MISMATCH: and then nothing of it is kept
   */
  put(descriptor: Descriptor, bytes: Bytes, options?: TransferOptions): Promise<void>
}

/** Passes bytes on and reports after each chunk how many have been taken so far. */
export async function* counting(
  bytes: Bytes,
  onBytes: (total: number) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  let total = 0
  for await (const chunk of bytes) {
    total += chunk.length
    yield chunk
    onBytes(total)
  }
}

/** Collects a small document. @throws {RangeError} when it is longer than `limit` bytes */
export async function collect(bytes: Bytes, limit: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of bytes) {
    size += chunk.length
    if (size > limit) throw new RangeError(`more than ${limit} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size)
}
