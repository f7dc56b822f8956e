import { type Descriptor, type Digest, hexOf, type TransferOptions } from '#core'
import type { Repository } from '../repository/repository.ts'
import { findTagged } from './change-tag.ts'
import { copyImage, repositoryTarget } from './copy.ts'

/** Signatures of attestations of images, and no deeper. */
const MAX_DEPTH = 4

/**
 * Copies what refers to manifests that the target has, and what refers to that: signatures, attestations. What cosign
 * keeps under tags of its own comes along.
 */
export async function copyReferrers(
  route: { readonly from: Repository; readonly to: Repository },
  subjects: readonly Digest[],
  options: TransferOptions = {},
): Promise<void> {
  const seen = new Set<Digest>(subjects)
  let level = subjects
  for (let depth = 0; depth < MAX_DEPTH && level.length > 0; depth++) {
    const next: Digest[] = []
    for (const subject of level) {
      await copyAttached(subject, route, options)
      for (const { digest } of await copyThoseOf(subject, route, options)) {
        if (!seen.has(digest)) next.push(digest)
        seen.add(digest)
      }
    }
    level = next
  }
}

/** What cosign keeps under tags beside an image: signatures and attestations. */
const ATTACHED = ['sig', 'att']

/** Where the target has some already, they are left as they are. */
async function copyAttached(
  subject: Digest,
  { from, to }: { readonly from: Repository; readonly to: Repository },
  options: TransferOptions,
): Promise<void> {
  for (const kind of ATTACHED) {
    const tag = `sha256-${hexOf(subject)}.${kind}`
    if ((await findTagged(from, tag, options)) === undefined) continue
    if ((await findTagged(to, tag, options)) !== undefined) continue
    await copyImage({ from, to: repositoryTarget(to, { tags: [tag] }) }, tag, options)
  }
}

async function copyThoseOf(
  subject: Digest,
  { from, to }: { readonly from: Repository; readonly to: Repository },
  options: TransferOptions,
): Promise<readonly Descriptor[]> {
  const { descriptors } = await from.referrers(subject, options)
  if (descriptors.length === 0) return []
  const target = repositoryTarget(to, { tags: [] })
  for (const { digest } of descriptors) await copyImage({ from, to: target }, digest, options)
  return descriptors
}
