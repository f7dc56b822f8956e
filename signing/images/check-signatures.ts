import type { Digest, TransferOptions } from '#core'
import type { Repository } from '#registry-client'
import type { ImageVerifier } from '../keys/image-key.ts'
import { findSignatures, type StoredSignature } from './stored-signature.ts'

/** Which signatures count. */
export interface CheckOptions extends TransferOptions {
  readonly verifier: ImageVerifier
  /** What a signature must say besides. */
  readonly annotations: Readonly<Record<string, string>>
}

/** What became of checking the signatures of a manifest. */
export interface SignatureCheck {
  /** Good ones by the key. */
  readonly good: readonly StoredSignature[]
  /** By others, or about another image. */
  readonly others: number
  /** Sentences; empty if there is a good one and none is damaged. */
  readonly problems: readonly string[]
}

/**
 * Checks whether a manifest is signed by a key. A signature that names the key and is not by it fails the check, also
 * where another one is good.
 * @throws {TsbuildError} MANIFEST_INVALID, DIGEST_MISMATCH for signatures that cannot be read
 */
export async function checkSignatures(
  repository: Repository,
  digest: Digest,
  { verifier, annotations, signal }: CheckOptions,
): Promise<SignatureCheck> {
  const found = await findSignatures(repository, digest, { signal })
  const problems: string[] = []
  const good: StoredSignature[] = []
  for (const signature of found) {
    const isBy = signature.isBy(verifier)
    if (!isBy && signature.hint === verifier.hint) {
      problems.push(
        `a signature (${signature.form}) names this key and is not by it: it is damaged`,
      )
    }
    if (!isBy) continue
    if (!signature.digests.includes(digest)) {
      problems.push(`a signature (${signature.form}) by this key is of ${signature.digests.join()}`)
    } else if (fits(signature, annotations)) good.push(signature)
  }
  if (good.length === 0 && problems.length === 0) problems.push(missing(found, annotations))
  return { good, others: found.length - good.length, problems }
}

function fits(signature: StoredSignature, annotations: Readonly<Record<string, string>>): boolean {
  return Object.entries(annotations).every(([key, value]) => signature.annotations[key] === value)
}

function missing(
  found: readonly StoredSignature[],
  annotations: Readonly<Record<string, string>>,
): string {
  if (found.length === 0) return 'there is no signature'
  const wanted = Object.keys(annotations)
  const detail = wanted.length === 0 ? '' : ` with the annotations ${wanted.join(', ')}`
  return `none of its ${found.length} signatures is by this key${detail}`
}
