import type { TransferOptions, WrittenGraph } from '#core'
import type { Repository } from '#registry-client'
import { imageSigner } from '../keys/image-key.ts'
import { needsPassword, readKey } from '../keys/key-file.ts'
import { type SignOptions, signImage } from './sign-image.ts'

/** A key that images are signed with. */
export interface SigningKey {
  /** A file in PEM, or `env://NAME` for a variable of the environment. */
  readonly key: string
  /** Asked for the password of a key that has one. */
  readonly password?: () => Promise<string>
  /** More that is signed. */
  readonly annotations?: Readonly<Record<string, string>>
}

/** Signs a graph that a repository has, with all of some keys. */
export type SignGraph = (
  repository: Repository,
  graph: Pick<WrittenGraph, 'root' | 'document'>,
  options: TransferOptions,
) => Promise<void>

/** @throws {TsbuildError} USAGE, NOT_FOUND, PERMISSION_DENIED for a key that cannot be used */
export async function openSigners(
  keys: readonly SigningKey[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<SignGraph> {
  const signers: Omit<SignOptions, 'signal'>[] = []
  for (const { key, password, annotations = {} } of keys) {
    const file = readKey(key, env)
    const opened = needsPassword(file) ? await password?.() : undefined
    signers.push({ signer: imageSigner(file, opened), annotations })
  }
  return async (repository, { root, document }, { signal }) => {
    const manifest = { descriptor: root, bytes: Buffer.from(document.bytes) }
    for (const signer of signers) await signImage(repository, manifest, { ...signer, signal })
  }
}
