import type { CacheSource, CacheTarget, LayerCompression } from '#builder'
import { suggestion } from '#core'
import { usageError } from './flags.ts'
import { unsupportedError } from './later-flags.ts'
import { splitCsv } from './output-value.ts'

/** The keys and values of one `--cache-from` or `--cache-to`. */
type Fields = ReadonlyMap<string, string>

/** Types of BuildKit that are to come. */
const LATER = ['gha', 's3', 'azblob']
const SOURCE_TYPES = ['registry', 'local']
const TARGET_TYPES = ['registry', 'local', 'inline']

const SOURCE_KEYS: Readonly<Record<string, readonly string[]>> = {
  registry: ['ref', 'registry.insecure', 'verify'],
  local: ['src', 'tag', 'digest', 'verify'],
}
const SHARED_KEYS = [
  ...['mode', 'compression', 'compression-level', 'force-compression', 'ignore-error'],
  ...['image-manifest', 'oci-mediatypes', 'mounts', 'sign'],
]
const TARGET_KEYS: Readonly<Record<string, readonly string[]>> = {
  registry: ['ref', 'registry.insecure', ...SHARED_KEYS],
  local: ['dest', 'tag', ...SHARED_KEYS],
  inline: [],
}

/** @throws {TsbuildError} USAGE, UNSUPPORTED */
export function parseCacheFrom(values: readonly string[]): readonly CacheSource[] {
  return values.flatMap((value): readonly CacheSource[] => {
    const read = readFields(value, { flag: '--cache-from', types: SOURCE_TYPES, keys: SOURCE_KEYS })
    if (read.kind === 'references') return read.refs.map((ref) => ({ type: 'registry', ref }))
    const { type, fields } = read
    return [type === 'local' ? localSource(fields, value) : registrySource(fields, value)]
  })
}

/** @throws {TsbuildError} USAGE, UNSUPPORTED */
export function parseCacheTo(values: readonly string[]): readonly CacheTarget[] {
  return values.flatMap((value): readonly CacheTarget[] => {
    const read = readFields(value, { flag: '--cache-to', types: TARGET_TYPES, keys: TARGET_KEYS })
    if (read.kind === 'references') return read.refs.map((ref) => ({ type: 'registry', ref }))
    const { type, fields } = read
    checkFormat(fields)
    return [toTarget(type, fields, value)]
  })
}

function toTarget(type: string, fields: Fields, value: string): CacheTarget {
  if (type === 'inline') return { type }
  const shared = sharedOptions(fields)
  if (type === 'local') {
    const dest = needed(fields, 'dest', value, '--cache-to type=local,dest=FOLDER')
    return { type, dest, ...text(fields, 'tag'), ...shared }
  }
  const ref = needed(fields, 'ref', value, '--cache-to type=registry,ref=REGISTRY/NAME:TAG')
  return { type: 'registry', ref, ...insecure(fields), ...shared }
}

function registrySource(fields: Fields, value: string): CacheSource {
  const ref = needed(fields, 'ref', value, '--cache-from type=registry,ref=REGISTRY/NAME:TAG')
  return { type: 'registry', ref, ...insecure(fields), ...text(fields, 'verify') }
}

function localSource(fields: Fields, value: string): CacheSource {
  const src = needed(fields, 'src', value, '--cache-from type=local,src=FOLDER')
  const names = { ...text(fields, 'tag'), ...text(fields, 'digest') }
  return { type: 'local', src, ...names, ...text(fields, 'verify') }
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
    ...text(fields, 'sign'),
  }
}

type Read =
  | { readonly kind: 'references'; readonly refs: readonly string[] }
  | { readonly kind: 'fields'; readonly type: string; readonly fields: Fields }

/** `type=T,key=value…`, or names of images alone. */
function readFields(
  value: string,
  {
    flag,
    types,
    keys,
  }: {
    readonly flag: string
    readonly types: readonly string[]
    readonly keys: Readonly<Record<string, readonly string[]>>
  },
): Read {
  const parts = splitCsv(value)
  if (parts.every((part) => !part.includes('='))) {
    const refs = parts.filter((part) => part !== '')
    if (refs.length === 0) throw usageError(`${flag} must not be empty`, hintFor(flag))
    return { kind: 'references', refs }
  }
  const fields = new Map<string, string>()
  for (const part of parts) {
    const at = part.indexOf('=')
    if (at < 1)
      throw usageError(`invalid ${flag} "${value}": "${part}" is not key=value`, hintFor(flag))
    fields.set(part.slice(0, at).trim().toLowerCase(), part.slice(at + 1))
  }
  const type = fields.get('type')
  if (type === undefined) throw usageError(`${flag} "${value}" has no type`, hintFor(flag))
  if (LATER.includes(type)) {
    throw unsupportedError(
      `${flag} type=${type} is not supported yet`,
      'use a registry, or a folder that is kept: type=local',
    )
  }
  if (!types.includes(type)) throw unknownTypeError(flag, type, types)
  for (const key of fields.keys()) {
    if (key === 'type' || keys[type]?.includes(key)) continue
    const taken = keys[type]?.length === 0 ? 'no options' : keys[type]?.join(', ')
    throw usageError(`unknown option "${key}" of ${flag}`, `type=${type} takes ${taken}`)
  }
  return { kind: 'fields', type, fields }
}

function unknownTypeError(
  flag: string,
  type: string,
  types: readonly string[],
): ReturnType<typeof usageError> {
  if (flag === '--cache-from' && type === 'inline') {
    return usageError(
      'an inline cache is read from its image',
      'write --cache-from type=registry,ref=IMAGE',
    )
  }
  const similar = suggestion(type, types)
  const hint =
    similar === undefined ? `choose one of ${types.join(', ')}` : `did you mean ${similar}?`
  return usageError(`unknown cache type "${type}"`, hint)
}

function hintFor(flag: string): string {
  return `write ${flag} type=registry,ref=REGISTRY/NAME:TAG`
}

function needed(fields: Fields, key: string, value: string, usage: string): string {
  const found = fields.get(key)
  if (found) return found
  throw usageError(`the cache "${value}" has no ${key}`, `write ${usage}`)
}

function text<K extends string>(fields: Fields, key: K): { readonly [P in K]?: string } {
  const found = fields.get(key)
  return found ? ({ [key]: found } as { readonly [P in K]?: string }) : {}
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

function isOn(fields: Fields, key: string): boolean {
  const found = fields.get(key)
  if (found === undefined || found === 'false' || found === '0') return false
  if (found === 'true' || found === '1') return true
  throw usageError(`invalid value "${found}" for the cache option ${key}`, 'write true or false')
}

function choice<T extends string>(fields: Fields, key: string, all: readonly T[]): T | undefined {
  const found = fields.get(key)
  if (found === undefined) return undefined
  const known = all.find((one) => one === found)
  if (known !== undefined) return known
  throw usageError(`invalid ${key} "${found}" of a cache`, `choose one of ${all.join(', ')}`)
}

function parseLevel(fields: Fields): number | undefined {
  const found = fields.get('compression-level')
  if (found === undefined) return undefined
  if (/^\d{1,2}$/.test(found)) return Number(found)
  throw usageError(`invalid compression-level "${found}" of a cache`, 'gzip: 0 to 9, zstd: 1 to 22')
}

function parseCompression(fields: Fields): LayerCompression | undefined {
  if (fields.get('compression') === 'estargz') {
    throw unsupportedError('compression=estargz is not supported yet', 'use gzip or zstd')
  }
  return choice(fields, 'compression', ['uncompressed', 'gzip', 'zstd'])
}
