import type { SecretSource } from '#builder'
import { splitCsv } from '#buildkit/values'
import { suggestion, usageError } from '#core'
import type { Shell } from '../terminal/shell.ts'

const SECRET_KEYS = ['id', 'src', 'source', 'env', 'type'] as const
const SECRET_FORM = 'write --secret id=NAME,src=FILE or --secret id=NAME,env=VARIABLE'

/**
 * Understands each `--secret`: `id=x`, `id=x,src=FILE`, `id=x,env=VARIABLE`. An id alone is a variable
 * where there is one of that name, else a file. Of one id the last one counts.
 * @throws {TsbuildError} USAGE
 */
export function parseSecrets(
  values: readonly string[],
  env: Shell['env'],
): Readonly<Record<string, SecretSource>> {
  return Object.fromEntries(values.map((value) => parseSecret(value, env)))
}

function parseSecret(value: string, env: Shell['env']): readonly [string, SecretSource] {
  const { id, type, ...given } = readFields(value)
  if (!id) throw usageError(`--secret "${value}" has no id`, SECRET_FORM)
  const file = given.src ?? given.source
  // type=env,src=NAME is an old way to say env=NAME.
  const variable = given.env ?? (type === 'env' ? (file ?? id) : undefined)
  if (variable !== undefined) return [id, { value: env[variable] ?? '' }]
  const named = file === undefined && type !== 'file' ? env[id] : undefined
  return [id, named === undefined ? { file: file ?? id } : { value: named }]
}

type SecretFields = { [K in (typeof SECRET_KEYS)[number]]?: string }

function readFields(value: string): SecretFields {
  const fields: SecretFields = {}
  for (const field of splitCsv(value)) {
    const equals = field.indexOf('=')
    const written = field.slice(0, equals)
    if (equals < 0) {
      throw usageError(`invalid field '${field}' must be a key=value pair`, SECRET_FORM)
    }
    const key = SECRET_KEYS.find((name) => name === written.toLowerCase())
    if (key === undefined) {
      const similar = suggestion(written.toLowerCase(), SECRET_KEYS)
      const hint = similar === undefined ? SECRET_FORM : `did you mean ${similar}?`
      throw usageError(`unexpected key '${written}' in '${field}'`, hint)
    }
    fields[key] = field.slice(equals + 1)
  }
  const { type } = fields
  if (type !== undefined && type !== 'file' && type !== 'env') {
    throw usageError(`unsupported secret type ${JSON.stringify(type)}`, 'use file or env')
  }
  return fields
}

/**
 * Understands each `--ssh`: `ID`, for the agent of `$SSH_AUTH_SOCK`, or `ID=SOCKET`, `ID=KEY[,KEY…]`.
 * @throws {TsbuildError} USAGE
 */
export function parseSsh(
  values: readonly string[],
  env: Shell['env'],
): Readonly<Record<string, readonly string[]>> {
  const found = new Map<string, readonly string[]>()
  for (const value of values) {
    const equals = value.indexOf('=')
    const id = (equals < 0 ? value : value.slice(0, equals)) || 'default'
    const paths =
      equals < 0
        ? []
        : value
            .slice(equals + 1)
            .split(',')
            .filter(Boolean)
    const agent = env.SSH_AUTH_SOCK ?? ''
    if (paths.length === 0 && agent === '') {
      throw usageError(
        'invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set',
        `start an agent, or give a key: --ssh ${id}=FILE`,
      )
    }
    if (found.has(id)) throw usageError(`invalid duplicate --ssh id "${id}"`)
    found.set(id, paths.length === 0 ? [agent] : paths)
  }
  return Object.fromEntries(found)
}
