import {
  collect,
  type Descriptor,
  type Digest,
  isAttestation,
  isIndexType,
  isJsonObject,
  type Json,
  MAX_DOCUMENT_BYTES,
  PREDICATE_TYPE,
  parseManifestOrIndex,
  REFERENCE_DIGEST,
  STATEMENT_TYPE,
  type TransferOptions,
} from '#core'
import type { FetchedManifest, Repository } from '#registry-client'
import { readStatement } from '../documents/statement.ts'

/** What an image's provenance says. */
export interface Provenance {
  /** The manifest that it is about. */
  readonly image: Digest
  readonly predicateType: string
  /** Who says that it has built the image. */
  readonly builder: string
  /** What it was made of. */
  readonly materials: readonly ProvenanceMaterial[]
}

/** A thing that an image was made of. */
export interface ProvenanceMaterial {
  /** A package URL, or the URL of a file or a repository. */
  readonly uri: string
  /** By algorithm, without its name. */
  readonly digests: Readonly<Record<string, string>>
}

/** What became of checking the provenance of an image. */
export interface ProvenanceCheck {
  readonly found: readonly Provenance[]
  /** Sentences; empty if all of it fits the image. */
  readonly problems: readonly string[]
}

const SLSA = 'https://slsa.dev/provenance/'

/**
 * Checks that the provenance which an index has of its images is about them: statements with the digests of manifests
 * that the index lists. An image without provenance is fine.
 * @throws {TsbuildError} MANIFEST_INVALID, DIGEST_MISMATCH for what cannot be read
 */
export async function checkProvenance(
  repository: Repository,
  root: FetchedManifest,
  options: TransferOptions = {},
): Promise<ProvenanceCheck> {
  const { descriptor, bytes } = root
  if (!isIndexType(descriptor.mediaType)) return { found: [], problems: [] }
  const parsed = parseManifestOrIndex(bytes, descriptor.mediaType)
  const listed = parsed.kind === 'index' ? parsed.index.manifests : []
  const images = new Set(listed.map(({ digest }) => digest))
  const found: Provenance[] = []
  const problems: string[] = []
  for (const { digest, annotations } of listed.filter(isAttestation)) {
    const image = [...images].find((one) => one === annotations?.[REFERENCE_DIGEST])
    if (image === undefined) {
      problems.push(`the attestations ${digest} are of no image of the index`)
      continue
    }
    for (const layer of await provenanceIn(repository, digest, options)) {
      const read = await readLayer(repository, layer, options)
      const declared = layer.annotations?.[PREDICATE_TYPE]
      if (read.predicateType !== declared) {
        problems.push(`provenance ${layer.digest} is a ${read.predicateType}, not a ${declared}`)
      } else if (read.subjects.some((subject) => subject.digest !== image)) {
        problems.push(`provenance ${layer.digest} is not of ${image}, to which it is attached`)
      } else found.push({ image, ...toProvenance(read) })
    }
  }
  return { found, problems }
}

async function provenanceIn(
  repository: Repository,
  digest: Digest,
  options: TransferOptions,
): Promise<readonly Descriptor[]> {
  const { descriptor, bytes } = await repository.fetchManifest(digest, options)
  const parsed = parseManifestOrIndex(bytes, descriptor.mediaType)
  const layers = parsed.kind === 'manifest' ? parsed.manifest.layers : []
  return layers.filter(({ mediaType, annotations }) => {
    return mediaType === STATEMENT_TYPE && annotations?.[PREDICATE_TYPE]?.startsWith(SLSA) === true
  })
}

type Statement = ReturnType<typeof readStatement>

async function readLayer(
  repository: Repository,
  layer: Descriptor,
  options: TransferOptions,
): Promise<Statement> {
  return readStatement(await collect(await repository.open(layer, options), MAX_DOCUMENT_BYTES))
}

/** Spec: SLSA provenance v1 and v0.2 */
function toProvenance({ predicateType, predicate }: Statement): Omit<Provenance, 'image'> {
  const document = JSON.parse(predicate) as Json
  const builder = at(document, 'runDetails', 'builder', 'id') ?? at(document, 'builder', 'id') ?? ''
  const listed =
    at(document, 'buildDefinition', 'resolvedDependencies') ?? at(document, 'materials') ?? []
  const materials = Array.isArray(listed) ? listed.map(toMaterial) : []
  return { predicateType, builder: String(builder), materials }
}

function toMaterial(value: Json): ProvenanceMaterial {
  const digests = at(value, 'digest')
  const entries = isJsonObject(digests) ? Object.entries(digests) : []
  return {
    uri: String(at(value, 'uri') ?? ''),
    digests: Object.fromEntries(entries.map(([name, hex]) => [name, String(hex)])),
  }
}

function at(value: Json | undefined, ...path: readonly string[]): Json | undefined {
  return path.reduce((place, key) => (isJsonObject(place) ? place[key] : undefined), value)
}
