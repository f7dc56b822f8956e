import type { Bytes } from './content.ts'
import type { Descriptor } from './descriptor.ts'
import { Digester } from './digest.ts'
import { TsbuildError } from './errors.ts'

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
    if (seen.size + chunk.length > expected.size) throw sizeMismatch(expected, 'more')
    seen.update(chunk)
    yield chunk
  }
  if (seen.size !== expected.size) throw sizeMismatch(expected, `only ${seen.size}`)
  const digest = seen.digest()
  if (digest === expected.digest) return
  throw new TsbuildError(`blob ${expected.digest} has the digest ${digest}`, {
    code: 'DIGEST_MISMATCH',
    hint: 'the content was damaged or replaced on its way; nothing of it was kept',
  })
}

function sizeMismatch(expected: Pick<Descriptor, 'digest' | 'size'>, got: string): TsbuildError {
  return new TsbuildError(
    `blob ${expected.digest} should have ${expected.size} bytes, got ${got}`,
    {
      code: 'SIZE_MISMATCH',
      hint: 'the content was damaged or replaced on its way; nothing of it was kept',
    },
  )
}
