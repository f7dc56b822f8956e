import { basename } from 'node:path'
import { packageUrl } from '#attest/sbom'
import { type Json, type Material, parsePlatform } from '#core'
import { parseReference } from '#registry-client'
import { imageUrl } from '../statement/statement.ts'

const LAYOUT = 'oci-layout://'

/** What an image was made of, as SLSA's resource descriptors. Spec: SLSA v1.0 provenance.md#resolvedDependencies */
export function resolvedDependencies(materials: readonly Material[]): readonly Json[] {
  return materials.map(resourceOf)
}

/** A material as a resource: where it came from, and what it was. */
export function resourceOf(material: Material): { readonly uri: string; readonly digest: Json } {
  const { kind, reference, digest } = material
  switch (kind) {
    case 'image':
      return { uri: imageUri(material), digest: { sha256: (pinned(reference) ?? digest).slice(7) } }
    case 'http':
      return { uri: reference, digest: { sha256: digest.replace(/^sha256:/, '') } }
    case 'git':
      return { uri: reference, digest: { [digest.length === 64 ? 'sha256' : 'sha1']: digest } }
  }
}

function imageUri({ reference, platform }: Material): string {
  if (reference.startsWith(LAYOUT)) return layoutUri(reference, platform)
  const parsed = platform === undefined ? undefined : parsePlatform(platform)
  return imageUrl(parseReference(reference), parsed)
}

/** Of a folder of this machine its name only. */
function layoutUri(reference: string, platform: string | undefined): string {
  const [place = '', digest] = reference.slice(LAYOUT.length).split('@')
  const [folder = '', tag] = basename(place).split(':')
  return packageUrl('oci', { name: folder, version: tag, qualifiers: { digest, platform } })
}

function pinned(reference: string): string | undefined {
  return /@(sha256:[0-9a-f]{64})$/.exec(reference)?.[1]
}
