import { readLocalDocuments } from '#builder'
import type { Store } from '#cache'
import {
  collect,
  type Descriptor,
  hostPlatform,
  isAttestation,
  isIndexType,
  type Json,
  type JsonObject,
  MAX_DOCUMENT_BYTES,
  type Platform,
  PREDICATE_TYPE,
  parseIndex,
  parseManifestOrIndex,
  platformDistance,
  REFERENCE_DIGEST,
  TsbuildError,
} from '#core'
import type { EngineImage } from './image/engine-image.ts'
import { descriptorDocument } from './image-documents.ts'

/** What is asked of the statements about an image. */
export interface AttestationQuery {
  readonly platform: Platform | undefined
  /** Types of predicates; empty: all. */
  readonly types: readonly string[]
  /** The statements themselves, beside what they are about. */
  readonly statement: boolean
}

/**
 * What is stated of an image beside it, for one platform. Spec: Docker Engine API, AttestationStatement
 * @throws {TsbuildError} NOT_FOUND for a platform that the image does not have
 */
export async function attestationsOf(
  { target }: EngineImage,
  query: AttestationQuery,
  store: Store,
): Promise<readonly JsonObject[]> {
  if (!isIndexType(target.mediaType)) return []
  const { manifests } = parseIndex(await readBlob(store, target), target.mediaType)
  const image = await imageAmong(manifests, query.platform ?? hostPlatform(), { store, target })
  const about = manifests.filter((one) => {
    return isAttestation(one) && one.annotations?.[REFERENCE_DIGEST] === image
  })
  const found: JsonObject[] = []
  for (const one of about) {
    const parsed = parseManifestOrIndex(await readBlob(store, one), one.mediaType)
    if (parsed.kind === 'index') continue
    for (const layer of parsed.manifest.layers) {
      const predicate = layer.annotations?.[PREDICATE_TYPE]
      if (predicate === undefined) continue
      if (query.types.length > 0 && !query.types.includes(predicate)) continue
      found.push(await statementOf(layer, predicate, query.statement ? store : undefined))
    }
  }
  return found
}

/** @returns the digest of the manifest for a platform */
async function imageAmong(
  manifests: readonly Descriptor[],
  platform: Platform,
  { store, target }: { readonly store: Store; readonly target: Descriptor },
): Promise<string> {
  const isOffered = manifests.some((one) => {
    const distance = one.platform && platformDistance(platform, one.platform)
    return !isAttestation(one) && (one.platform === undefined || distance !== undefined)
  })
  if (!isOffered) {
    throw new TsbuildError('no match for platform in manifest: not found', { code: 'NOT_FOUND' })
  }
  return (await readLocalDocuments(store, target, platform)).descriptor.digest
}

/** @param store `undefined`: without the statement itself */
async function statementOf(
  layer: Descriptor,
  predicate: string,
  store: Store | undefined,
): Promise<JsonObject> {
  const described = {
    Descriptor: { ...descriptorDocument(layer), annotations: { ...layer.annotations } },
    PredicateType: predicate,
  }
  if (store === undefined) return described
  const text = (await readBlob(store, layer)).toString()
  return { ...described, Statement: JSON.parse(text) as Json }
}

async function readBlob(store: Store, descriptor: Descriptor): Promise<Buffer> {
  return await collect(await store.blobs.open(descriptor), MAX_DOCUMENT_BYTES)
}
