import type { LayerCompression } from '#builder/export'
import type { CacheSource, CacheTarget } from '#builder/options'
import { unsupportedError, usageError } from '#core'
import {
  type CacheTypes,
  choice,
  type Fields,
  isOn,
  needed,
  readCacheValue,
  splitFields,
  text,
} from './cache-fields.ts'
import {
  isObjectType,
  OBJECT_SOURCE_KEYS,
  OBJECT_TARGET_KEYS,
  objectPlaces,
  s3WriteOptions,
} from './object-cache-values.ts'

const SHARED_KEYS = [
  ...['mode', 'compression', 'compression-level', 'force-compression', 'ignore-error'],
  ...['image-manifest', 'oci-mediatypes', 'mounts', 'sign'],
]
const SOURCES: CacheTypes = {
  registry: ['ref', 'registry.insecure', 'verify'],
  local: ['src', 'tag', 'digest', 'verify'],
  s3: [...OBJECT_SOURCE_KEYS.s3, 'verify'],
  azblob: [...OBJECT_SOURCE_KEYS.azblob, 'verify'],
  gha: [...OBJECT_SOURCE_KEYS.gha, 'verify'],
}
const TARGETS: CacheTypes = {
  registry: ['ref', 'registry.insecure', ...SHARED_KEYS],
  local: ['dest', 'tag', ...SHARED_KEYS],
  inline: [],
  s3: [...OBJECT_TARGET_KEYS.s3, ...SHARED_KEYS],
  azblob: [...OBJECT_TARGET_KEYS.azblob, ...SHARED_KEYS],
  gha: [...OBJECT_TARGET_KEYS.gha, ...SHARED_KEYS],
}

/** @throws {TsbuildError} USAGE, UNSUPPORTED */
export function parseCacheFrom(values: readonly string[]): readonly CacheSource[] {
  return values.flatMap((value) => readCacheFrom(splitFields(value, '--cache-from')))
}

/** One of them, of its fields, each `key=value`. @throws {TsbuildError} USAGE, UNSUPPORTED */
export function readCacheFrom(parts: readonly string[]): readonly CacheSource[] {
  const read = readCacheValue(parts, { flag: '--cache-from', types: SOURCES })
  if (read.kind === 'references') return read.refs.map((ref) => ({ type: 'registry', ref }))
  const { type, fields } = read
  if (isObjectType(type)) {
    const verify = text(fields, 'verify', 'verify')
    return objectPlaces(type, fields).map((place) => ({ ...place, ...verify }))
  }
  return [type === 'local' ? localSource(fields) : registrySource(fields)]
}

/** @throws {TsbuildError} USAGE, UNSUPPORTED */
export function parseCacheTo(values: readonly string[]): readonly CacheTarget[] {
  return values.flatMap((value) => readCacheTo(splitFields(value, '--cache-to')))
}

/** One of them, of its fields, each `key=value`. @throws {TsbuildError} USAGE, UNSUPPORTED */
export function readCacheTo(parts: readonly string[]): readonly CacheTarget[] {
  const read = readCacheValue(parts, { flag: '--cache-to', types: TARGETS })
  if (read.kind === 'references') return read.refs.map((ref) => ({ type: 'registry', ref }))
  const { type, fields } = read
  checkFormat(fields)
  return toTargets(type, fields)
}

function toTargets(type: string, fields: Fields): readonly CacheTarget[] {
  if (type === 'inline') return [{ type }]
  const shared = sharedOptions(fields)
  if (isObjectType(type)) {
    const write = s3WriteOptions(fields)
    return objectPlaces(type, fields).map((place) => ({ ...place, ...write, ...shared }))
  }
  if (type === 'local') {
    const dest = needed(fields, 'dest', '--cache-to type=local,dest=FOLDER')
    return [{ type, dest, ...text(fields, 'tag', 'tag'), ...shared }]
  }
  const ref = needed(fields, 'ref', '--cache-to type=registry,ref=REGISTRY/NAME:TAG')
  return [{ type: 'registry', ref, ...insecure(fields), ...shared }]
}

function registrySource(fields: Fields): CacheSource {
  const ref = needed(fields, 'ref', '--cache-from type=registry,ref=REGISTRY/NAME:TAG')
  return { type: 'registry', ref, ...insecure(fields), ...text(fields, 'verify', 'verify') }
}

function localSource(fields: Fields): CacheSource {
  const src = needed(fields, 'src', '--cache-from type=local,src=FOLDER')
  const names = { ...text(fields, 'tag', 'tag'), ...text(fields, 'digest', 'digest') }
  return { type: 'local', src, ...names, ...text(fields, 'verify', 'verify') }
}

function sharedOptions(
  fields: Fields,
): Pick<
  Extract<CacheTarget, { type: 'registry' }>,
  | 'mode'
  | 'compression'
  | 'compressionLevel'
  | 'forceCompression'
  | 'ignoreError'
  | 'mounts'
  | 'sign'
> {
  const mode = choice(fields, 'mode', ['min', 'max'])
  const compression = parseCompression(fields)
  const level = parseLevel(fields)
  return {
    ...(mode === undefined ? {} : { mode }),
    ...(compression === undefined ? {} : { compression }),
    ...(level === undefined ? {} : { compressionLevel: level }),
    ...(isOn(fields, 'force-compression') ? { forceCompression: true } : {}),
    ...(isOn(fields, 'ignore-error') ? { ignoreError: true } : {}),
    ...(isOn(fields, 'mounts') ? { mounts: true } : {}),
    ...text(fields, 'sign', 'sign'),
  }
}

function insecure(fields: Fields): { readonly insecure?: true } {
  return isOn(fields, 'registry.insecure') ? { insecure: true } : {}
}

/** A cache is an index of manifests of OCI; what says so is accepted. */
function checkFormat(fields: Fields): void {
  isOn(fields, 'image-manifest')
  if (fields.get('oci-mediatypes') === undefined || isOn(fields, 'oci-mediatypes')) return
  throw unsupportedError(
    'a cache with oci-mediatypes=false is not supported',
    'leave it out: registries take artifacts of OCI',
  )
}

function parseLevel(fields: Fields): number | undefined {
  const found = fields.get('compression-level')
  if (found === undefined) return undefined
  if (/^\d{1,2}$/.test(found)) return Number(found)
  throw usageError(`invalid compression-level "${found}" of a cache`, 'gzip: 0 to 9, zstd: 1 to 22')
}

function parseCompression(fields: Fields): LayerCompression | undefined {
  if (fields.get('compression') === 'estargz') {
    throw unsupportedError('layers cannot be packed as estargz', 'use zstd:chunked')
  }
  return choice(fields, 'compression', ['uncompressed', 'gzip', 'zstd', 'zstd:chunked'])
}
