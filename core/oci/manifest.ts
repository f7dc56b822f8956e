import { TsbuildError } from '../errors.ts'
import { readDocument } from '../json/document.ts'
import type { JsonObject } from '../json/json.ts'
import { type Shape, type Shaped, shapes } from '../json/shape.ts'
import { type Descriptor, isIndexType, isManifestType, MEDIA_TYPES } from './descriptor.ts'
import { isDigest } from './digest.ts'
import type { Platform } from './platform.ts'
import { PLATFORM_FIELDS, toPlatform } from './platform-json.ts'

/** One platform's image. Spec: image-spec v1.1 manifest.md */
export interface Manifest {
  readonly mediaType: string
  /** What it holds, where that is not an image. */
  readonly artifactType?: string
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
  /** The manifest that it says something about. */
  readonly subject?: Descriptor
  readonly annotations?: Readonly<Record<string, string>>
}

/** A list of manifests. Spec: image-spec v1.1 image-index.md */
export interface Index {
  readonly mediaType: string
  readonly artifactType?: string
  readonly manifests: readonly Descriptor[]
  readonly subject?: Descriptor
  readonly annotations?: Readonly<Record<string, string>>
}

const MAX_LAYERS = 10_000
const MAX_MANIFESTS = 1000

const { any, integer, list, map, object, string } = shapes

const PLATFORM: Shape<Partial<Platform>> = object(PLATFORM_FIELDS)

/** Spec: image-spec v1.1 descriptor.md; what it says is checked by `toDescriptor`. */
export const DESCRIPTOR_SHAPE: Shape<DescriptorFields> = object({
  mediaType: string,
  digest: string,
  size: integer,
  urls: list(string),
  annotations: map(string),
  data: string,
  artifactType: string,
  platform: PLATFORM,
})

/** What a document may say of a descriptor. */
export interface DescriptorFields {
  readonly mediaType?: string
  readonly digest?: string
  readonly size?: number
  readonly annotations?: Readonly<Record<string, string>>
  readonly platform?: Partial<Platform>
  readonly artifactType?: string
}

/** The fields of both kinds of document: which one it is must be clear. */
const DOCUMENT = object({
  schemaVersion: integer,
  mediaType: string,
  artifactType: string,
  config: DESCRIPTOR_SHAPE,
  layers: list(DESCRIPTOR_SHAPE),
  manifests: list(DESCRIPTOR_SHAPE),
  subject: DESCRIPTOR_SHAPE,
  annotations: map(string),
  fsLayers: any,
})

type Document = Shaped<typeof DOCUMENT>

/**
 * Reads either kind of document; which one it is comes from its bytes, and must be clear: see
 * GHSA-77vh-xpmg-72qh for documents that are both.
 * @throws {TsbuildError} MANIFEST_INVALID
 */
export function parseManifestOrIndex(
  bytes: Uint8Array,
  mediaType: string,
): { kind: 'manifest'; manifest: Manifest } | { kind: 'index'; index: Index } {
  const document = readDocument(bytes, DOCUMENT, READING)
  const declared = document.mediaType || mediaType
  if (document.fsLayers !== undefined)
    throw invalidManifestError("docker's schema 1 is not supported")
  if (document.manifests !== undefined && document.layers !== undefined) {
    throw invalidManifestError('both an index and an image manifest')
  }
  if (isIndexType(declared)) return { kind: 'index', index: toIndex(document, declared) }
  if (isManifestType(declared))
    return { kind: 'manifest', manifest: toManifest(document, declared) }
  throw invalidManifestError(`unsupported media type ${JSON.stringify(declared.slice(0, 100))}`)
}

/**
 * The media type of a manifest or an index by its bytes alone: the one that it says, or OCI's where
 * it says none; `undefined` for what holds neither a config nor manifests.
 * @throws {TsbuildError} MANIFEST_INVALID for what is not a JSON object
 */
export function mediaTypeOf(bytes: Uint8Array): string | undefined {
  const { mediaType, manifests, config } = readDocument(bytes, DOCUMENT, READING)
  if (mediaType) return mediaType
  if (manifests !== undefined) return MEDIA_TYPES.ociIndex
  return config === undefined ? undefined : MEDIA_TYPES.ociManifest
}

const READING = { what: 'manifest', code: 'MANIFEST_INVALID' } as const

/** @throws {TsbuildError} MANIFEST_INVALID */
export function parseIndex(bytes: Uint8Array, mediaType: string = MEDIA_TYPES.ociIndex): Index {
  const parsed = parseManifestOrIndex(bytes, mediaType)
  if (parsed.kind === 'index') return parsed.index
  throw invalidManifestError('expected an index, found an image manifest')
}

/** The bytes whose digest names the manifest: keys in the order of the specification, two-space indent. */
export function serializeManifest(manifest: Manifest): Buffer {
  const { config, layers } = manifest
  return serialize(manifest, { config: plain(config), layers: layers.map(plain) })
}

/** The bytes whose digest names the index; see `serializeManifest`. */
export function serializeIndex(index: Index): Buffer {
  return serialize(index, { manifests: index.manifests.map(plain) })
}

function serialize(document: Manifest | Index, content: JsonObject): Buffer {
  const { mediaType, artifactType, subject, annotations } = document
  const fields: JsonObject = {
    schemaVersion: 2,
    mediaType,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...content,
    ...(subject === undefined ? {} : { subject: plain(subject) }),
    ...(annotations === undefined ? {} : { annotations }),
  }
  return Buffer.from(JSON.stringify(fields, undefined, 2))
}

function plain(descriptor: Descriptor): JsonObject {
  const { mediaType, digest, size, annotations, data, platform, artifactType } = descriptor
  return {
    mediaType,
    digest,
    size,
    ...(annotations === undefined ? {} : { annotations }),
    ...(data === undefined ? {} : { data }),
    ...(platform === undefined ? {} : { platform: { ...platform } }),
    ...(artifactType === undefined ? {} : { artifactType }),
  }
}

function toManifest(document: Document, mediaType: string): Manifest {
  const { config, layers = [], manifests } = document
  if (manifests !== undefined) throw invalidManifestError(`an index sent as ${mediaType}`)
  if (config === undefined) throw invalidManifestError('no config')
  if (layers.length > MAX_LAYERS) throw invalidManifestError(`more than ${MAX_LAYERS} layers`)
  return {
    mediaType,
    config: toDescriptor(config, 'config'),
    layers: layers.map((layer, i) => toDescriptor(layer, `layers[${i}]`)),
    ...commonOf(document),
  }
}

function toIndex(document: Document, mediaType: string): Index {
  const { manifests = [], layers, config } = document
  if (layers !== undefined || config !== undefined)
    throw invalidManifestError(`a manifest sent as ${mediaType}`)
  if (manifests.length > MAX_MANIFESTS)
    throw invalidManifestError(`more than ${MAX_MANIFESTS} manifests`)
  return {
    mediaType,
    manifests: manifests.map((entry, i) => toDescriptor(entry, `manifests[${i}]`)),
    ...commonOf(document),
  }
}

/** What both kinds of document may have. */
function commonOf(document: Document): Pick<Manifest, 'artifactType' | 'subject' | 'annotations'> {
  return { ...artifactTypeOf(document), ...subjectOf(document), ...annotationsOf(document) }
}

/** Images are built and pulled without it: one that cannot be used, such as a sha512, is left out. */
function subjectOf({ subject = {} }: Document): { subject?: Descriptor } {
  return isUsable(subject) ? { subject: withKnownFields(subject) } : {}
}

/**
 * A descriptor that can be used. `where` names it in errors.
 * @throws {TsbuildError} MANIFEST_INVALID
 */
export function toDescriptor(fields: DescriptorFields, where: string): Descriptor {
  const { mediaType, digest, size } = fields
  if (isUsable(fields)) return withKnownFields(fields)
  if (mediaType === undefined) throw invalidManifestError(`${where} has no media type`)
  if (digest === undefined || !isDigest(digest)) {
    throw invalidManifestError(`${where} has the digest ${JSON.stringify(digest)?.slice(0, 100)}`)
  }
  throw invalidManifestError(`${where} has the size ${size}`)
}

type UsableFields = DescriptorFields & Pick<Descriptor, 'mediaType' | 'digest' | 'size'>

function isUsable(fields: DescriptorFields): fields is UsableFields {
  const { mediaType, digest, size } = fields
  if (mediaType === undefined || digest === undefined || !isDigest(digest)) return false
  return size !== undefined && Number.isSafeInteger(size) && size >= 0
}

function withKnownFields(fields: UsableFields): Descriptor {
  const { mediaType, digest, size, platform = {} } = fields
  const known = { ...annotationsOf(fields), ...platformOf(platform), ...artifactTypeOf(fields) }
  return { mediaType, digest, size, ...known }
}

function platformOf(fields: Partial<Platform>): { platform?: Platform } {
  const platform = toPlatform(fields)
  return platform.os === '' && platform.architecture === '' ? {} : { platform }
}

/** Go writes no empty text. */
function artifactTypeOf({ artifactType }: DescriptorFields): { artifactType?: string } {
  return artifactType ? { artifactType } : {}
}

function annotationsOf({ annotations = {} }: Pick<Document, 'annotations'>): {
  annotations?: Readonly<Record<string, string>>
} {
  return Object.keys(annotations).length === 0 ? {} : { annotations }
}

function invalidManifestError(message: string): TsbuildError {
  return new TsbuildError(`invalid manifest: ${message}`, { code: 'MANIFEST_INVALID' })
}
