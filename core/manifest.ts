import { type Descriptor, isIndexType, isManifestType, MEDIA_TYPES } from './descriptor.ts'
import { isDigest } from './digest.ts'
import { TsbuildError } from './errors.ts'
import { isJsonObject, type Json, type JsonObject, parseJson } from './json.ts'
import type { Platform } from './platform.ts'

/** One platform's image. Spec: image-spec v1.1 manifest.md */
export interface Manifest {
  readonly mediaType: string
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
  readonly annotations?: Readonly<Record<string, string>>
}

/** A list of manifests. Spec: image-spec v1.1 image-index.md */
export interface Index {
  readonly mediaType: string
  readonly manifests: readonly Descriptor[]
  readonly annotations?: Readonly<Record<string, string>>
}

const MAX_LAYERS = 10_000
const MAX_MANIFESTS = 1000

/** Reads either kind of document; which one it is comes from its bytes, and must be clear. */
export function parseManifestOrIndex(
  bytes: Uint8Array,
  mediaType: string,
): { kind: 'manifest'; manifest: Manifest } | { kind: 'index'; index: Index } {
  const document = parseDocument(bytes)
  const declared = typeof document.mediaType === 'string' ? document.mediaType : mediaType
  if (isIndexType(declared)) return { kind: 'index', index: toIndex(document, declared) }
  if (isManifestType(declared))
    return { kind: 'manifest', manifest: toManifest(document, declared) }
  throw invalid(`unsupported media type ${JSON.stringify(declared)}`)
}

/** @throws {TsbuildError} MANIFEST_INVALID */
export function parseManifest(bytes: Uint8Array, mediaType: string): Manifest {
  const parsed = parseManifestOrIndex(bytes, mediaType)
  if (parsed.kind === 'manifest') return parsed.manifest
  throw invalid('expected an image manifest, found an index')
}

/** @throws {TsbuildError} MANIFEST_INVALID */
export function parseIndex(bytes: Uint8Array, mediaType: string = MEDIA_TYPES.ociIndex): Index {
  const parsed = parseManifestOrIndex(bytes, mediaType)
  if (parsed.kind === 'index') return parsed.index
  throw invalid('expected an index, found an image manifest')
}

/** The bytes whose digest names the manifest: fixed key order, two-space indent. */
export function serializeManifest(manifest: Manifest): Buffer {
  const { mediaType, config, layers, annotations } = manifest
  return serialize({
    schemaVersion: 2,
    mediaType,
    config: plain(config),
    layers: layers.map(plain),
    ...(annotations === undefined ? {} : { annotations }),
  })
}

export function serializeIndex(index: Index): Buffer {
  const { mediaType, manifests, annotations } = index
  return serialize({
    schemaVersion: 2,
    mediaType,
    manifests: manifests.map(plain),
    ...(annotations === undefined ? {} : { annotations }),
  })
}

function serialize(document: Json): Buffer {
  return Buffer.from(JSON.stringify(document, undefined, 2))
}

function plain(descriptor: Descriptor): JsonObject {
  const { mediaType, digest, size, annotations, platform } = descriptor
  return {
    mediaType,
    digest,
    size,
    ...(annotations === undefined ? {} : { annotations }),
    ...(platform === undefined ? {} : { platform: { ...platform } }),
  }
}

/**
 * Go reads keys without regard to case and JavaScript does not; a document that the two would read
 * differently is refused (see also GHSA-77vh-xpmg-72qh for documents that are both kinds).
 */
function parseDocument(bytes: Uint8Array): JsonObject {
  const document = parseJson(bytes, 'manifest', 'MANIFEST_INVALID')
  if (!isJsonObject(document)) throw invalid('not a JSON object')
  const known = ['schemaversion', 'mediatype', 'config', 'layers', 'manifests']
  for (const key of Object.keys(document)) {
    const exact = key === 'mediaType' || key === 'schemaVersion' || known.includes(key)
    if (!exact && known.includes(key.toLowerCase())) throw invalid(`ambiguous key ${key}`)
  }
  if (document.manifests !== undefined && document.layers !== undefined) {
    throw invalid('both an index and an image manifest')
  }
  return document
}

function toManifest(document: JsonObject, mediaType: string): Manifest {
  const { config, layers, manifests } = document
  if (manifests !== undefined) throw invalid(`an index sent as ${mediaType}`)
  if (!Array.isArray(layers)) throw invalid('layers is not a list')
  if (layers.length > MAX_LAYERS) throw invalid(`more than ${MAX_LAYERS} layers`)
  return {
    mediaType,
    config: parseDescriptor(config, 'config'),
    layers: layers.map((layer, i) => parseDescriptor(layer, `layers[${i}]`)),
    ...annotationsOf(document),
  }
}

function toIndex(document: JsonObject, mediaType: string): Index {
  const { manifests, layers, config } = document
  if (layers !== undefined || config !== undefined) throw invalid(`a manifest sent as ${mediaType}`)
  if (!Array.isArray(manifests)) throw invalid('manifests is not a list')
  if (manifests.length > MAX_MANIFESTS) throw invalid(`more than ${MAX_MANIFESTS} manifests`)
  return {
    mediaType,
    manifests: manifests.map((entry, i) => parseDescriptor(entry, `manifests[${i}]`)),
    ...annotationsOf(document),
  }
}

/** Spec: image-spec v1.1 descriptor.md. `where` names the field in errors. */
export function parseDescriptor(value: Json | undefined, where: string): Descriptor {
  if (!isJsonObject(value)) throw invalid(`${where} is not a descriptor`)
  const { mediaType, digest, size, platform } = value
  if (typeof mediaType !== 'string') throw invalid(`${where} has no media type`)
  if (typeof digest !== 'string' || !isDigest(digest)) {
    throw invalid(`${where} has the digest ${JSON.stringify(digest)?.slice(0, 100)}`)
  }
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw invalid(`${where} has the size ${JSON.stringify(size)}`)
  }
  const parsed = parsePlatformField(platform, where)
  return {
    mediaType,
    digest,
    size,
    ...annotationsOf(value),
    ...(parsed === undefined ? {} : { platform: parsed }),
  }
}

function parsePlatformField(value: Json | undefined, where: string): Platform | undefined {
  if (value === undefined || value === null) return undefined
  if (!isJsonObject(value)) throw invalid(`${where}.platform is not an object`)
  const { os, architecture, variant } = value
  if (typeof os !== 'string' || typeof architecture !== 'string') {
    throw invalid(`${where}.platform lacks os or architecture`)
  }
  const version = value['os.version']
  return {
    os,
    architecture,
    ...(typeof variant === 'string' && variant !== '' ? { variant } : {}),
    ...(typeof version === 'string' && version !== '' ? { 'os.version': version } : {}),
  }
}

function annotationsOf(document: JsonObject): { annotations?: Record<string, string> } {
  const { annotations } = document
  if (!isJsonObject(annotations)) return {}
  const entries = Object.entries(annotations).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  )
  return entries.length === 0 ? {} : { annotations: Object.fromEntries(entries) }
}

function invalid(message: string): TsbuildError {
  return new TsbuildError(`invalid manifest: ${message}`, { code: 'MANIFEST_INVALID' })
}
