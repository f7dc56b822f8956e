import { suggestion, usageError } from '#core'
import type { Arguments } from './flags.ts'

/** What is asked about a Dockerfile instead of building it. */
export interface Call {
  readonly request: 'check' | 'outline' | 'targets' | 'describe'
  readonly format: CallFormat
  /** Exit with 0 whatever the checks have found; a Dockerfile that cannot be built is a failure. */
  readonly ignoreStatus: boolean
}

/** The form of an answer. */
export type CallFormat = 'text' | 'json' | 'sarif'

const REQUESTS: ReadonlyMap<string, Call['request']> = new Map([
  ['check', 'check'],
  ['lint', 'check'],
  ['outline', 'outline'],
  ['targets', 'targets'],
  ['subrequests.describe', 'describe'],
])
const FORMATS: readonly CallFormat[] = ['text', 'json', 'sarif']
const HINT = 'write --call REQUEST[,format=text|json|sarif][,ignorestatus=true|false]'

/** What `--call` or `--check` asks for; `undefined` for a build. @throws {TsbuildError} USAGE */
export function parseCall(args: Arguments): Call | undefined {
  const text = args.text('call') ?? ''
  const fields = text.split(',').filter((field) => field !== '')
  const names = fields.filter((field) => !field.includes('='))
  const isCheck = args.has('check')
  if (names.length > 1) throw usageError(`invalid value for --call: ${text}`, HINT)
  const name = names[0] ?? (isCheck ? 'check' : 'build')
  const request = REQUESTS.get(name)
  if (request === undefined && name !== 'build') {
    const meant = suggestion(name, ['build', ...REQUESTS.keys()])
    const choice = `choose one of build, ${[...REQUESTS.keys()].join(', ')}`
    throw usageError(
      `unknown request "${name}" in --call`,
      meant === undefined ? choice : `did you mean ${meant}?`,
    )
  }
  if (isCheck && request !== 'check') {
    throw usageError(`--check and --call ${name} ask for different things`, 'use one of them')
  }
  const settings = parseSettings(fields.filter((field) => field.includes('=')))
  if (settings.format === 'sarif' && request !== undefined && request !== 'check') {
    throw usageError('only checks can be written as SARIF', 'use format=json')
  }
  return request && { request, ...settings }
}

function parseSettings(fields: readonly string[]): Omit<Call, 'request'> {
  let settings: Omit<Call, 'request'> = { format: 'text', ignoreStatus: false }
  for (const field of fields) {
    const [key = '', value = ''] = field.split(/=(.*)/s)
    const format = FORMATS.find((known) => known === value)
    if (key === 'format' && format !== undefined) settings = { ...settings, format }
    else if (key === 'ignorestatus' && /^(true|1|false|0)$/.test(value)) {
      settings = { ...settings, ignoreStatus: value === 'true' || value === '1' }
    } else throw usageError(`invalid setting "${field}" in --call`, HINT)
  }
  return settings
}
