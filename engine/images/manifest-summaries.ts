import { readLocalDocuments } from '#builder'
import type { Store } from '#cache'
import {
  collect,
  type Descriptor,
  isIndexType,
  type JsonObject,
  MAX_DOCUMENT_BYTES,
  parseIndex,
  REFERENCE_DIGEST,
  TsbuildError,
} from '#core'
import { type EngineImage, sizeOf } from './image/engine-image.ts'
import { descriptorDocument, platformDocument } from './image-documents.ts'

/** What the manifests of an image are described with. */
export interface SummaryDeps {
  readonly store: Store
  readonly containersOf: (id: string) => readonly string[]
}

/** Of each manifest that an image's index lists, or of its only one. Spec: Docker Engine API, ImageManifestSummary */
export async function manifestSummaries(
  { target }: EngineImage,
  deps: SummaryDeps,
): Promise<readonly JsonObject[]> {
  const { store } = deps
  if (!isIndexType(target.mediaType)) return [await summaryOf(target, deps)]
  const bytes = await collect(await store.blobs.open(target), MAX_DOCUMENT_BYTES)
  const summaries = []
  for (const one of parseIndex(bytes, target.mediaType).manifests) {
    summaries.push(await summaryOf(one, deps))
  }
  return summaries
}

async function summaryOf(descriptor: Descriptor, deps: SummaryDeps): Promise<JsonObject> {
  const { store, containersOf } = deps
  const documents = await readOrNothing(store, descriptor)
  const about = descriptor.annotations?.[REFERENCE_DIGEST]
  const blobs =
    documents === undefined ? [] : [documents.manifest.config, ...documents.manifest.layers]
  const isAvailable =
    documents !== undefined && blobs.every(({ digest }) => store.blobs.stat(digest) !== undefined)
  const own = documents === undefined ? 0 : descriptor.size
  const content = blobs.reduce((sum, { digest, size }) => {
    return store.blobs.stat(digest) === undefined ? sum : sum + size
  }, own)
  const common = { ID: descriptor.digest, Descriptor: descriptorDocument(descriptor) }
  if (about !== undefined) {
    const Size = { Content: content, Total: content }
    const AttestationData = { For: about }
    return { ...common, Available: isAvailable, Size, Kind: 'attestation', AttestationData }
  }
  if (documents === undefined) {
    return { ...common, Available: false, Size: { Content: 0, Total: 0 }, Kind: 'unknown' }
  }
  const unpacked = sizeOf(store, documents)
  const platform = descriptor.platform ?? documents.config.platform
  return {
    ...common,
    Available: isAvailable,
    Size: { Content: content, Total: content + unpacked },
    Kind: 'image',
    ImageData: {
      Platform: platformDocument(platform),
      Containers: [...containersOf(documents.manifest.config.digest)],
      Size: { Unpacked: unpacked },
    },
  }
}

async function readOrNothing(store: Store, descriptor: Descriptor) {
  if (store.blobs.stat(descriptor.digest) === undefined) return undefined
  try {
    return await readLocalDocuments(store, descriptor)
  } catch (cause) {
    if (cause instanceof TsbuildError) return undefined
    throw cause
  }
}
