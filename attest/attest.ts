import { openScanner, type SbomFormat, sbomDocument } from '#attest/sbom'
import type { OpenedContext } from '#builder/context'
import type { Attestation } from '#builder/export'
import type { Settings } from '#builder/options'
import type { Plan } from '#builder/plan'
import { type Json, type Material, type Platform, reported, type WrittenManifest } from '#core'
import { provenance } from './provenance/provenance.ts'
import { versionControl } from './provenance/version-control.ts'
import { type Claim, imageNames, type Subject, statementOf } from './statement/statement.ts'

/** An image of a build, of which something is said. */
export interface AttestedImage {
  readonly plan: Plan
  /** Of its entry in an index. */
  readonly platform: Platform
  /** What it was made of. */
  readonly materials: readonly Material[]
  /** The steps that made its layers, bottom layer first. */
  readonly layerSteps: readonly (string | undefined)[]
  /** Its layers as `stackTree` takes them, topmost first. */
  readonly lowers: () => Promise<readonly string[]>
}

/** What statements about the images of a build are made with. */
export interface AttestDeps {
  readonly settings: Settings
  readonly context: OpenedContext
  /** When the build began. */
  readonly startedAt: Date
  /** An empty folder. */
  readonly scratch: string
}

/** What is said of one image. */
export interface Attested {
  readonly attestations: readonly Attestation[]
  /** The same, said of the files of the image, as files beside them. */
  readonly asFiles: () => Promise<readonly AttestedFile[]>
}

interface AttestedFile {
  readonly name: string
  readonly data: Uint8Array
}

/** A claim, and the file that it is in beside files. */
interface NamedClaim {
  readonly filename: string
  readonly predicateType: string
  /** What of it depends on how an image was written is absent without one. */
  readonly predicate: (image?: WrittenManifest) => Json
}

const PROVENANCE = 'https://slsa.dev/provenance/v1'

const SBOMS: Readonly<Record<SbomFormat, { readonly type: string; readonly filename: string }>> = {
  spdx: { type: 'https://spdx.dev/Document', filename: 'sbom.spdx.json' },
  cyclonedx: { type: 'https://cyclonedx.org/bom', filename: 'sbom.cdx.json' },
}

/** States what the settings ask for about each image. */
export async function attestImages(
  images: readonly AttestedImage[],
  deps: AttestDeps,
): Promise<readonly Attested[]> {
  const attested: Attested[] = []
  for (const image of images) attested.push(await attestImage(image, deps))
  return attested
}

async function attestImage(image: AttestedImage, deps: AttestDeps): Promise<Attested> {
  const { settings } = deps
  const packages = await packageClaims(image, deps)
  const claims = [...(await provenanceClaims(image, deps)), ...packages]
  const names = imageNames(settings.tags, image.platform)
  return {
    attestations: claims.map(({ predicateType, predicate }) => ({
      predicateType,
      statement: (written) => {
        const { digest } = written.descriptor
        const subjects = names.map((name) => ({ name, digest }))
        const claim = { predicateType, predicate: predicate(written) }
        return Buffer.from(JSON.stringify(statementOf(claim, subjects)))
      },
    })),
    asFiles: async () => {
      await using scanner = openScanner()
      const lowers = await image.lowers()
      const subjects = await scanner.run('digestFiles', { lowers }, { signal: settings.signal })
      return claims.map((claim) => fileOf(claim, subjects))
    },
  }
}

function fileOf(claim: NamedClaim, subjects: readonly Subject[]): AttestedFile {
  const { filename: name, predicateType, predicate } = claim
  const stated: Claim = { predicateType, predicate: predicate() }
  const text = JSON.stringify(statementOf(stated, subjects), undefined, 2)
  return { name, data: Buffer.from(text) }
}

async function provenanceClaims(
  image: AttestedImage,
  deps: AttestDeps,
): Promise<readonly NamedClaim[]> {
  const { settings } = deps
  const { provenance: options } = settings.attestations
  if (options === undefined) return []
  const { filename = 'provenance.json' } = options
  const finishedAt = new Date()
  const facts = { ...deps, ...image, options, finishedAt, versions: await versionControl(settings) }
  return [
    { filename, predicateType: PROVENANCE, predicate: (written) => provenance(facts, written) },
  ]
}

async function packageClaims(
  { platform, lowers }: AttestedImage,
  { settings, scratch }: AttestDeps,
): Promise<readonly NamedClaim[]> {
  const { attestations, onEvent, signal, tags } = settings
  const { sbom } = attestations
  if (sbom === undefined) return []
  await using scanner = openScanner()
  const vertex = { id: `sbom ${imageNames([], platform)}`, name: 'listing packages' }
  const found = await reported({ ...vertex, part: 'export' }, onEvent, async () =>
    scanner.run('findPackages', { lowers: await lowers(), scratch }, { signal }),
  )
  for (const message of found.problems) onEvent({ type: 'warning', message })
  const [name = '_'] = imageNames(tags, platform)
  return sbom.formats.map((format) => {
    const { type, filename } = SBOMS[format]
    const document = sbomDocument(found, { format, name, createdAt: new Date() })
    return { filename, predicateType: type, predicate: () => document }
  })
}
