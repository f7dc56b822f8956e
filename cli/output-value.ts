import type { LayerCompression, Output } from '#builder'
import { suggestion } from '#core'
import { usageError } from './flags.ts'

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
  local: ['dest'],
  tar: ['dest'],
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
  const known = KEYS[type]
  if (known === undefined) {
    const similar = suggestion(type, Object.keys(KEYS))
    const hint = similar === undefined ? typesHint() : `did you mean type=${similar}?`
    throw usageError(`unknown output type "${type}"`, hint)
  }
  for (const key of settings.keys()) {
    if (key === 'type' || known.includes(key)) continue
    const hint = `type=${type} takes ${known.join(', ')}`
    throw usageError(`unknown output option "${key}"`, hint)
  }
  const names = (settings.get('name') ?? '').split(',').filter((name) => name !== '')
  return { outputs: toOutputs(type, settings), names }
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
    case 'tar':
      return [{ type, dest: requireDest(type, dest) }]
    default:
      return [{ type: 'store', ...times }]
  }
}

function requireDest(type: string, dest: string | undefined): string {
  if (dest !== undefined && dest !== '') return dest
  if (type === 'tar' || type === 'oci') return '-'
  throw usageError(`output type=${type} needs a dest`, `write --output type=${type},dest=PATH`)
}

function parseCompression(text: string | undefined): LayerCompression | undefined {
  if (text === undefined) return undefined
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
