/** Which digests registries have for an image: noted with its names, since layers may be packed otherwise there. */
import type { Descriptor, Digest } from '#core'
import { formatReference, type Reference } from '#registry-client'

/** An annotation of a name's entry in the index of the store: canonical references, each with a digest. */
const DIGESTS = 'tsbuild.digests'

/** More than that are not remembered. */
const MOST_DIGESTS = 8

/** Canonical references with a digest, `registry/repository@sha256:…`, that registries had or got for an image. */
export function digestsOf({ annotations }: Descriptor): readonly string[] {
  return (annotations?.[DIGESTS] ?? '').split(' ').filter((text) => text !== '')
}

/** The entry of a name, with one more of them. */
export function withDigest(
  descriptor: Descriptor,
  { registry, repository }: Pick<Reference, 'registry' | 'repository'>,
  digest: Digest,
): Descriptor {
  const added = formatReference({ registry, repository, digest })
  const known = digestsOf(descriptor).filter((text) => text !== added)
  return withDigests(descriptor, [...known, added].slice(-MOST_DIGESTS))
}

/** The entry of a name with exactly these. */
export function withDigests(descriptor: Descriptor, digests: readonly string[]): Descriptor {
  const { annotations = {} } = descriptor
  if (digests.length === 0 && annotations[DIGESTS] === undefined) return descriptor
  // Annotations that are absent stay as they are; an empty one is none.
  return { ...descriptor, annotations: { ...annotations, [DIGESTS]: digests.join(' ') } }
}
