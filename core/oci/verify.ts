import { TsbuildError } from '../errors.ts'
import type { BlobSink, BlobSource, Bytes, TransferOptions } from './content.ts'
import type { Descriptor } from './descriptor.ts'
import { Digester } from './digest.ts'

/**
 * Passes bytes on and checks them against a descriptor: never more than `size` bytes are passed,
 * and the end is reached only when size and digest are right.
 * @throws {TsbuildError} SIZE_MISMATCH, DIGEST_MISMATCH
 */
export async function* verified(
  bytes: Bytes,
  expected: Pick<Descriptor, 'digest' | 'size'>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const seen = new Digester()
  for await (const chunk of bytes) {
    if (seen.size + chunk.length > expected.size) throw sizeMismatchError(expected, 'more')
    seen.update(chunk)
    yield chunk
  }
  if (seen.size !== expected.size) throw sizeMismatchError(expected, `only ${seen.size}`)
  const digest = seen.digest()
  if (digest === expected.digest) return
  throw new TsbuildError(`blob ${expected.digest} has the digest ${digest}`, {
    code: 'DIGEST_MISMATCH',
    hint: 'the content was damaged or replaced on its way; nothing of it was kept',
  })
}

/** Whether bytes came other than they were promised. */
export function isDamaged(cause: unknown): boolean {
  if (!(cause instanceof TsbuildError)) return false
  return cause.code === 'DIGEST_MISMATCH' || cause.code === 'SIZE_MISMATCH'
}

/**
 * Fetches something, and once more when it comes damaged: a mirror or a proxy on the way may be at
 * fault, and the next answer come from elsewhere.
 */
export async function fetchUndamaged<T>(fetch: () => Promise<T>): Promise<T> {
  try {
    return await fetch()
  } catch (cause) {
    if (!isDamaged(cause)) throw cause
    return await fetch()
  }
}

/**
 * Copies a blob, see `fetchUndamaged`.
 * @throws {TsbuildError} NOT_FOUND, DIGEST_MISMATCH, SIZE_MISMATCH
 */
export async function copyBlob(
  descriptor: Descriptor,
  { from, to }: { readonly from: Pick<BlobSource, 'open'>; readonly to: Pick<BlobSink, 'put'> },
  options: TransferOptions = {},
): Promise<void> {
  await fetchUndamaged(async () =>
    to.put(descriptor, await from.open(descriptor, { ...options, checkedBy: 'receiver' }), options),
  )
}

function sizeMismatchError(
  expected: Pick<Descriptor, 'digest' | 'size'>,
  got: string,
): TsbuildError {
  return new TsbuildError(
    `blob ${expected.digest} should have ${expected.size} bytes, got ${got}`,
    {
      code: 'SIZE_MISMATCH',
      hint: 'the content was damaged or replaced on its way; nothing of it was kept',
    },
  )
}
