import type { Output } from '#builder/export'
import { suggestion, unsupportedError, usageError } from '#core'
import { annotate, parseAnnotationField } from './annotation-values.ts'
import { isOn, OUTPUT_TYPES } from './output-types.ts'
import { splitCsv } from './split-csv.ts'

/** One `--output`, understood: where the result goes, and names given with it. */
export interface OutputRequest {
  readonly outputs: readonly Output[]
  readonly names: readonly string[]
  /** The registries of the image may use plain HTTP, or an unknown certificate. */
  readonly isInsecure?: true
}

/** What BuildKit has besides, with the value that asks for what happens anyway. */
const LATER_KEYS: Readonly<Record<string, string | undefined>> = {
  'attestation-inline': 'false',
  'prefer-nondist-layers': 'false',
  'source-date-epoch': undefined,
}

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
  return readOutput(fields)
}

/** The same of its fields, each `key=value`. @throws {TsbuildError} USAGE */
export function readOutput(fields: readonly string[]): OutputRequest {
  const annotated = fields.map(parseAnnotationField)
  const settings = parseSettings(fields.filter((_, position) => annotated[position] === undefined))
  const annotations = annotated.filter((one) => one !== undefined)
  const type = settings.get('type')
  if (type === undefined) throw usageError(`output "${fields.join()}" has no type`, typesHint())
  const known = new Map(Object.entries(OUTPUT_TYPES)).get(type)
  if (known === undefined) {
    const similar = suggestion(type, Object.keys(OUTPUT_TYPES))
    const hint = similar === undefined ? typesHint() : `did you mean type=${similar}?`
    throw usageError(`unknown output type "${type}"`, hint)
  }
  for (const key of settings.keys()) {
    if (key === 'type' || known.keys.includes(key) || isLater(key, settings.get(key))) continue
    const hint = `type=${type} takes ${known.keys.join(', ')}`
    throw usageError(`unknown output option "${key}"`, hint)
  }
  const names = (settings.get('name') ?? '').split(',').filter((name) => name !== '')
  const outputs = known.outputs(settings).map((output) => annotate(output, annotations))
  const isInsecure = isOn(settings, 'registry.insecure')
  return { outputs, names, ...(isInsecure ? { isInsecure } : {}) }
}

/** @throws {TsbuildError} UNSUPPORTED for an option that asks for what is not there yet */
function isLater(key: string, value: string | undefined): boolean {
  if (!Object.hasOwn(LATER_KEYS, key)) return false
  if (value === LATER_KEYS[key]) return true
  throw unsupportedError(`the output option ${key}=${value} is not supported yet`, 'leave it out')
}

function parseSettings(fields: readonly string[]): Map<string, string> {
  const settings = new Map<string, string>()
  for (const field of fields) {
    const at = field.indexOf('=')
    const key = field.slice(0, at).trim().toLowerCase()
    if (at < 1 || key === '') {
      throw usageError(
        `invalid output "${fields.join()}": "${field}" is not key=value`,
        typesHint(),
      )
    }
    settings.set(key, field.slice(at + 1))
  }
  return settings
}

function typesHint(): string {
  return `write type=T,key=value…; T is one of ${Object.keys(OUTPUT_TYPES).join(', ')}`
}
