import { type ElsewhereDeps, elsewhereSource, storeSource } from '#builder/plan'
import { elsewhereOf } from '#cache'
import {
  collect,
  compressionOf,
  type Descriptor,
  type DiffId,
  hexOf,
  hostPlatform,
  type ImageConfig,
  isIndexType,
  isJsonObject,
  type Json,
  type Manifest,
  PREDICATE_TYPE,
  parseIndex,
  parseManifestOrIndex,
  TsbuildError,
  type WrittenManifest,
} from '#core'
import { resolveImage } from '#registry-client'
import type { FinishedImage, ImageSet } from './image.ts'
import { type Attestation, attestedImage } from './layers/attestation.ts'
import type { ImageLayer } from './layers/image-layer.ts'

/**
 * An image of the local store, or all images of an index, ready to be sent somewhere.
 * @throws {TsbuildError} NOT_FOUND, MANIFEST_INVALID when it is damaged
 */
export async function readFromStore(target: Descriptor, deps: ElsewhereDeps): Promise<ImageSet> {
  const { store } = deps
  if (!isIndexType(target.mediaType)) {
    return { images: [await readImage(target, deps)], isIndex: false }
  }
  const { manifests } = parseIndex(
    await collect(await store.blobs.open(target), target.size),
    target.mediaType,
  )
  const images = manifests.filter((one) => attestedImage(one) === undefined)
  const read = images.map(async (manifest) => {
    const about = manifests.filter((one) => attestedImage(one) === manifest.digest)
    const attestations = await readAttestations(about, deps)
    return { ...(await readImage(manifest, deps)), attestations }
  })
  return { images: await Promise.all(read), isIndex: true }
}

/** Statements as they are, but for the digest of the image, which is another one elsewhere. */
async function readAttestations(
  manifests: readonly Descriptor[],
  { store }: ElsewhereDeps,
): Promise<readonly Attestation[]> {
  const source = storeSource(store)
  const read = manifests.map(async ({ digest }) => {
    const { bytes, descriptor } = await source.fetchManifest(digest)
    const parsed = parseManifestOrIndex(bytes, descriptor.mediaType)
    return parsed.kind === 'index' ? [] : parsed.manifest.layers
  })
  const statements = (await Promise.all(read)).flat()
  return await Promise.all(
    statements.map(async (layer) => {
      if (layer.size > MAX_STATEMENT) throw tooLongError(layer)
      const bytes = await collect(await source.open(layer), layer.size)
      const predicateType = layer.annotations?.[PREDICATE_TYPE] ?? ''
      return { predicateType, statement: (image) => aboutImage(bytes, image) }
    }),
  )
}

/** Bytes; what BuildKit reads, too. */
const MAX_STATEMENT = 40 << 20

function tooLongError({ digest }: Descriptor): TsbuildError {
  const message = `the attestation ${digest} has more than ${MAX_STATEMENT} bytes`
  return new TsbuildError(message, { code: 'MANIFEST_INVALID' })
}

/** A statement with the digest of an image as that of all of its subjects; what is none stays as it is. */
function aboutImage(bytes: Buffer, { descriptor }: WrittenManifest): Uint8Array {
  let statement: Json
  try {
    statement = JSON.parse(bytes.toString()) as Json
  } catch {
    return bytes
  }
  if (!isJsonObject(statement) || !Array.isArray(statement.subject)) return bytes
  const subject = (statement.subject as readonly Json[]).map((one) =>
    isJsonObject(one) ? { ...one, digest: { sha256: hexOf(descriptor.digest) } } : one,
  )
  return Buffer.from(JSON.stringify({ ...statement, subject }))
}

async function readImage(manifest: Descriptor, deps: ElsewhereDeps): Promise<FinishedImage> {
  const {
    config,
    configBytes,
    manifest: document,
  } = await resolveImage(storeSource(deps.store), manifest.digest, {
    platform: manifest.platform ?? hostPlatform(),
  })
  const layers = layersOf(document, config, deps)
  const platform = manifest.platform ?? config.platform
  return { platform, config, configBytes, id: document.config.digest, layers }
}

function layersOf(
  manifest: Manifest,
  config: ImageConfig,
  deps: ElsewhereDeps,
): readonly ImageLayer[] {
  const { store } = deps
  return manifest.layers.map((descriptor, index) => {
    const diffId: DiffId | undefined = config.diffIds[index]
    if (diffId === undefined) throw new Error('resolveImage checks that every layer has a diffID')
    const isPlain = compressionOf(descriptor.mediaType) === 'none'
    const size = isPlain ? descriptor.size : store.layers.findByDiffId(diffId)?.size
    const origin = elsewhereOf(descriptor)
    if (origin !== undefined) {
      return { diffId, size, blob: { descriptor, source: elsewhereSource(origin, deps) }, origin }
    }
    const blob = isPlain ? undefined : { descriptor, source: store.blobs }
    return { diffId, size, blob, origin }
  })
}
