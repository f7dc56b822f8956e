import type { LayerCompression, Output } from '#builder'
import { suggestion } from '#core'
import { usageError } from './flags.ts'
import { unsupported } from './later-flags.ts'

/** One `--output`, understood: where the result goes, and names given with it. */
export interface OutputRequest {
  readonly outputs: readonly Output[]
  readonly names: readonly string[]
}

/** Which keys each type takes. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  store: ['name', 'rewrite-timestamp'],
  image: ['name', 'push', 'compression', 'rewrite-timestamp'],
  registry: ['name', 'compression', 'rewrite-timestamp'],
  oci: ['dest', 'name', 'tar', 'compression', 'rewrite-timestamp'],
  docker: ['dest', 'name', 'tar', 'compression', 'rewrite-timestamp'],
  local: ['dest', 'mode'],
  tar: ['dest'],
}

/** What BuildKit has besides, with the value that asks for what happens anyway. */
const LATER_KEYS: Readonly<Record<string, string | undefined>> = {
  'attestation-inline': 'false',
  'attestation-prefix': undefined,
  'compression-level': undefined,
  context: undefined,
  'dangling-name-empty-only': undefined,
  'dangling-name-prefix': undefined,
  'force-compression': 'false',
  'name-canonical': 'false',
  'oci-artifact': undefined,
  'oci-mediatypes': 'true',
  'platform-split': undefined,
  'prefer-nondist-layers': 'false',
  'push-by-digest': 'false',
  'registry.insecure': 'false',
  'source-date-epoch': undefined,
  store: 'true',
  unpack: 'false',
}

const COMPRESSIONS: readonly LayerCompression[] = ['uncompressed', 'gzip', 'zstd']

/**
 * Understands `type=T,key=value…` with CSV quotes; a bare path is a folder for the files, `-` is a
 * tar of them on standard output.
 * @throws {TsbuildError} USAGE
 */
export function parseOutput(value: string): OutputRequest {
  const fields = splitCsv(value)
  const [only] = fields
  if (fields.length === 1 && only !== undefined && !only.includes('=')) {
    if (only === '') throw usageError('an --output must not be empty')
    const output: Output = only === '-' ? { type: 'tar', dest: '-' } : { type: 'local', dest: only }
    return { outputs: [output], names: [] }
  }
  const settings = parseSettings(fields, value)
  const type = settings.get('type')
  if (type === undefined) throw usageError(`output "${value}" has no type`, typesHint())
  if (type === 'cacheonly') {
    throw unsupported(
      'output type=cacheonly is not supported yet',
      'write -o type=tar,dest=/dev/null',
    )
  }
  const known = KEYS[type]
  if (known === undefined) {
    const similar = suggestion(type, Object.keys(KEYS))
    const hint = similar === undefined ? typesHint() : `did you mean type=${similar}?`
    throw usageError(`unknown output type "${type}"`, hint)
  }
  for (const key of settings.keys()) {
    if (key === 'type' || known.includes(key) || isLater(key, settings.get(key))) continue
    const hint = `type=${type} takes ${known.join(', ')}`
    throw usageError(`unknown output option "${key}"`, hint)
  }
  const names = (settings.get('name') ?? '').split(',').filter((name) => name !== '')
  return { outputs: toOutputs(type, settings), names }
}

/** @throws {TsbuildError} UNSUPPORTED for an option that asks for what is not there yet */
function isLater(key: string, value: string | undefined): boolean {
  if (!Object.hasOwn(LATER_KEYS, key) && !key.startsWith('annotation')) return false
  if (value === LATER_KEYS[key]) return true
  throw unsupported(`the output option ${key}=${value} is not supported yet`, 'leave it out')
}

function toOutputs(type: string, settings: ReadonlyMap<string, string>): readonly Output[] {
  const dest = settings.get('dest')
  const compression = parseCompression(settings.get('compression'))
  const rewrites = parseSwitch('rewrite-timestamp', settings.get('rewrite-timestamp') ?? 'false')
  const times = rewrites ? { rewriteTimestamp: true } : {}
  const packed = { ...(compression === undefined ? {} : { compression }), ...times }
  switch (type) {
    case 'registry':
      return [{ type, ...packed }]
    case 'image': {
      const push = parseSwitch('push', settings.get('push') ?? 'false')
      const stored: Output = { type: 'store', ...times }
      return push ? [stored, { type: 'registry', ...packed }] : [stored]
    }
    case 'oci':
    case 'docker': {
      const tar = parseSwitch('tar', settings.get('tar') ?? 'true')
      return [{ type, dest: requireDest(type, dest), ...(tar ? {} : { tar }), ...packed }]
    }
    case 'local':
      return [{ type, dest: requireDest(type, dest), ...localMode(settings.get('mode')) }]
    case 'tar':
      return [{ type, dest: requireDest(type, dest) }]
    default:
      return [{ type: 'store', ...times }]
  }
}

function requireDest(type: string, dest: string | undefined): string {
  if (dest !== undefined && dest !== '') return dest
  if (type === 'tar' || type === 'oci') return '-'
  if (type === 'docker') {
    const hint = 'write type=docker,dest=FILE, and run docker load -i FILE'
    throw unsupported('output type=docker without dest is not supported yet', hint)
  }
  throw usageError(`output type=${type} needs a dest`, `write --output type=${type},dest=PATH`)
}

function localMode(text: string | undefined): { readonly mode?: 'delete' } {
  if (text === undefined || text === 'copy') return {}
  if (text === 'delete') return { mode: text }
  throw usageError(`invalid local exporter mode ${JSON.stringify(text)}`, 'choose copy or delete')
}

function parseCompression(text: string | undefined): LayerCompression | undefined {
  if (text === undefined) return undefined
  if (text === 'estargz') throw unsupported('compression=estargz is not supported yet', 'use gzip')
  const found = COMPRESSIONS.find((name) => name === text)
  if (found !== undefined) return found
  throw usageError(`unknown compression "${text}"`, `choose one of ${COMPRESSIONS.join(', ')}`)
}

function parseSwitch(key: string, text: string): boolean {
  if (text === 'true' || text === '1') return true
  if (text === 'false' || text === '0') return false
  throw usageError(`invalid value "${text}" for the output option ${key}`, 'write true or false')
}

function parseSettings(fields: readonly string[], value: string): Map<string, string> {
  const settings = new Map<string, string>()
  for (const field of fields) {
    const at = field.indexOf('=')
    const key = field.slice(0, at).trim().toLowerCase()
    if (at < 1 || key === '') {
      throw usageError(`invalid output "${value}": "${field}" is not key=value`, typesHint())
    }
    settings.set(key, field.slice(at + 1))
  }
  return settings
}

/**
 * The fields of one CSV record: `"a,b",c` has two, `""` inside quotes is a quote.
 * Spec: RFC 4180 section 2
 * @throws {TsbuildError} USAGE
 */
export function splitCsv(text: string): readonly string[] {
  const fields: string[] = []
  let rest = text
  for (;;) {
    const quoted = /^"((?:[^"]|"")*)"(,|$)/.exec(rest)
    const bare = quoted === null ? /^([^",]*)(,|$)/.exec(rest) : null
    const match = quoted ?? bare
    if (match === null) throw usageError(`invalid quotes in ${text}`, 'write "key=a,b" to quote')
    const [whole, field = '', end] = match
    fields.push(quoted === null ? field : field.replaceAll('""', '"'))
    rest = rest.slice(whole.length)
    if (end === '') return fields
  }
}

function typesHint(): string {
  return `write type=T,key=value…; T is one of ${Object.keys(KEYS).join(', ')}`
}
