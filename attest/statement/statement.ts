import { packageUrl } from '#attest/sbom'
import type { DiffId, Digest, Json, Platform } from '#core'
import { formatPlatform, hexOf } from '#core'
import { familiarReference, parseReference, type Reference } from '#registry-client'

/** What a statement is about. */
export interface Subject {
  readonly name: string
  readonly digest: Digest | DiffId
}

/** What is stated. */
export interface Claim {
  readonly predicateType: string
  readonly predicate: Json
}

/** An in-toto statement. Spec: in-toto attestation framework v1, spec/v1/statement.md */
export function statementOf(
  { predicateType, predicate }: Claim,
  subjects: readonly Subject[],
): Json {
  const subject = subjects.map(({ name, digest }) => ({ name, digest: { sha256: hexOf(digest) } }))
  return { _type: 'https://in-toto.io/Statement/v1', predicateType, subject, predicate }
}

/** The names of an image as subjects; `_`, which is any name, where it has none. */
export function imageNames(tags: readonly Reference[], platform: Platform): readonly string[] {
  if (tags.length === 0) return ['_']
  return tags.map((tag) => imageUrl(tag, platform))
}

/** The package URL of an image, as BuildKit writes it. Spec: purl-spec, types/docker */
export function imageUrl(reference: Reference, platform: Platform | undefined): string {
  const { tag, digest, ...named } = reference
  const version = tag ?? (digest === undefined ? 'latest' : undefined)
  const { namespace, name } = familiarName(named)
  return packageUrl('docker', {
    namespace,
    name,
    version,
    qualifiers: { digest, platform: platform && formatPlatform(platform) },
  })
}

function familiarName(named: Reference): {
  readonly namespace: string | undefined
  readonly name: string
} {
  const text = familiarReference(parseReference(`${named.registry}/${named.repository}`))
  const parts = text.replace(/:latest$/, '').split('/')
  const name = parts.pop() ?? ''
  return { namespace: parts.length === 0 ? undefined : parts.join('/'), name }
}
