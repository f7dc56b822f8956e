/** What is found out about blobs, with what it means for images and how it is repaired. */
import type { Finding } from '#cache'
import { compressionOf, type Digest, shortList, TsbuildError } from '#core'
import { healLayer } from './heal-layer.ts'
import type { LayerClaim } from './layer-claims.ts'
import type { NeededBlob } from './needed-blobs.ts'
import type { VerifyDeps } from './verify-deps.ts'

/** A blob that is not what it is named after, or cannot be read. */
export function damagedBlob(digest: Digest, problem: string, deps: VerifyDeps): Finding {
  const { store } = deps.audit
  const needed = deps.needed.get(digest)
  return {
    severity: 'damage',
    subject: `blob ${digest}`,
    problem: `${problem}${needed === undefined ? '' : `: ${meaning(needed)}`}`,
    remedy: needed === undefined ? 'sets it aside' : `sets it aside and ${remedy(needed)}`,
    repair: async () => {
      store.blobs.setAside(digest)
      if (needed !== undefined) await makeAnew(needed, deps)
    },
  }
}

/** A blob that images need and the store does not have. */
export function missingBlob(needed: NeededBlob, deps: VerifyDeps): Finding {
  return {
    severity: 'damage',
    subject: `blob ${needed.descriptor.digest}`,
    problem: `is missing: ${meaning(needed)}`,
    remedy: remedy(needed),
    repair: () => makeAnew(needed, deps),
  }
}

/** A blob that does not hold the layer that it is said to hold. */
export function wrongClaim(digest: Digest, claim: LayerClaim, deps: VerifyDeps): Finding {
  const { diffId, by } = claim
  const common = { severity: 'damage', subject: `blob ${digest}` } as const
  const problem = `does not hold the layer ${diffId}, as the ${by === 'image' ? 'config of an image' : 'database'} says`
  if (by === 'image') {
    const { names = [] } = deps.needed.get(digest) ?? {}
    return {
      ...common,
      problem,
      remedy: `keeps the image as it was made: build ${listed(names)} again`,
    }
  }
  const repair = (): void => deps.audit.forgetClaim(diffId, digest)
  return { ...common, problem, remedy: 'forgets it, so that the layer is packed again', repair }
}

function meaning({ names }: NeededBlob): string {
  return `${listed(names)} cannot be pushed or saved`
}

function remedy({ descriptor, diffIds }: NeededBlob): string {
  const isLayer = compressionOf(descriptor.mediaType) !== undefined && diffIds.size > 0
  const kept = 'keeps the name, for you to build it again or to remove it with tsbuild rmi'
  return isLayer ? `makes it of another form of the layer; without one it ${kept}` : kept
}

/** @throws {TsbuildError} NOT_FOUND when there is nothing to make it of */
async function makeAnew(
  { descriptor, diffIds, names }: NeededBlob,
  deps: VerifyDeps,
): Promise<void> {
  for (const diffId of diffIds) if (await healLayer(descriptor, diffId, deps)) return
  throw new TsbuildError(`there is nothing to make it of: ${listed(names)} stays incomplete`, {
    code: 'NOT_FOUND',
    hint: 'build it again, or remove the name with tsbuild rmi',
  })
}

const NAMED = 3

function listed(names: Iterable<string>): string {
  const all = [...names]
  return shortList(all.slice(0, NAMED), all.length)
}
