import type { IToken } from 'chevrotain'
import type {
  Command,
  Healthcheck,
  HealthcheckInstruction,
  InstructionBase,
  RunInstruction,
  StageInstruction,
  Word,
} from '../ast/ast.ts'
import { parseDuration } from '../text/duration.ts'
import { parseJsonArray } from '../text/scan.ts'
import { type Children, childrenOf, tokenOf } from './cst.ts'
import { type Flags, readFlags, warnOfFlags } from './flags.ts'
import { checkRunDevice } from './run-device.ts'
import { parseRunMount } from './run-mount.ts'
import type { Site } from './site.ts'

const MILLISECOND = 1e6

/** RUN, CMD, ENTRYPOINT and SHELL. */
export function toCommandInstruction(children: Children, site: Site): StageInstruction | undefined {
  const keyword = tokenOf(children, 'keyword')
  if (keyword === undefined) return undefined
  const kind = keyword.image.toLowerCase()
  const flags = readFlags(childrenOf(children, 'flags'), kind, site)
  const written = toCommand(childrenOf(children, 'jsonOrText'), site)
  const node = site.node(keyword, children)
  if (kind === 'shell') return { kind, ...node, shell: shellOf(written, site) }
  const isEmpty = written?.form === 'exec' && written.args.length === 0
  if ((written === undefined && !site.hasFailed) || (kind === 'run' && isEmpty)) {
    const message = `${keyword.image.toUpperCase()} has no command`
    site.warn(message, { code: 'EmptyCommand', range: site.range(keyword) })
  }
  const command = written ?? { form: 'shell', script: '' }
  if (kind === 'cmd' || kind === 'entrypoint') return { kind, ...node, command }
  return toRun(command, { flags, node, site })
}

interface RunContext {
  readonly flags: Flags
  readonly node: InstructionBase
  readonly site: Site
}

function toRun(command: Command, { flags, node, site }: RunContext): RunInstruction {
  const network = flags.exactly('network')
  const security = flags.exactly('security')
  for (const device of flags.many('device')) checkRunDevice(device, site)
  return {
    kind: 'run',
    ...node,
    command,
    heredocs: site.line.heredocs,
    mounts: flags.many('mount').map((mount) => parseRunMount(mount, site)),
    network: network && networkOf(network, site),
    security: security && securityOf(security, site),
  }
}

function networkOf({ raw, range }: Word, site: Site): RunInstruction['network'] {
  if (raw === 'default' || raw === 'none' || raw === 'host') return raw
  const hint = 'use default, none or host'
  site.fail(`invalid network mode ${JSON.stringify(raw)}`, { range, hint })
  return undefined
}

function securityOf({ raw, range }: Word, site: Site): RunInstruction['security'] {
  if (raw === 'sandbox' || raw === 'insecure') return raw
  site.fail(`security ${JSON.stringify(raw)} is not valid`, { range, hint: 'use sandbox' })
  return undefined
}

function shellOf(command: Command | undefined, site: Site): readonly string[] {
  const isEmpty = command === undefined || (command.form === 'exec' && command.args.length === 0)
  if (isEmpty) {
    if (!site.hasFailed) site.fail('SHELL requires at least one argument')
    return []
  }
  if (command.form === 'exec') return command.args
  if (site.hasFailed) return []
  const hint = 'write SHELL ["executable", "parameters"]'
  site.fail('SHELL requires the arguments to be in JSON form', { hint })
  return []
}

/** Exec or shell form; `undefined` when there is nothing, or something that is reported. */
function toCommand(children: Children, site: Site): Command | undefined {
  const json = tokenOf(children, 'Json')
  if (json !== undefined) {
    const args = toStrings(json, site)
    return args && { form: 'exec', args }
  }
  const text = tokenOf(children, 'Text')
  return text && { form: 'shell', script: text.image }
}

/** The elements of a JSON array of strings; anything else is reported. */
export function toStrings(json: IToken, site: Site): readonly string[] | undefined {
  const elements = parseJsonArray(json.image, 0) ?? []
  const strings = elements.filter((element) => typeof element === 'string')
  if (strings.length === elements.length) return strings
  site.fail('when using JSON array syntax, arrays must be comprised of strings only', {
    code: 'line',
    range: site.range(json),
  })
  return undefined
}

/** HEALTHCHECK [flags] CMD command, or NONE. */
export function toHealthcheck(children: Children, site: Site): HealthcheckInstruction | undefined {
  const keyword = tokenOf(children, 'keyword')
  if (keyword === undefined) return undefined
  const type = tokenOf(children, 'HealthType')
  if (type === undefined) {
    site.fail('HEALTHCHECK requires at least one argument', {
      hint: 'write HEALTHCHECK CMD command',
    })
    return undefined
  }
  const command = toCommand(childrenOf(children, 'jsonOrText'), site)
  const isEmpty = command === undefined || (command.form === 'exec' && command.args.length === 0)
  const json = command?.form === 'exec'
  const node = { kind: 'healthcheck', ...site.node(keyword, children), json } as const
  const name = type.image.toUpperCase()
  if (name === 'NONE') {
    warnOfFlags(childrenOf(children, 'flags'), 'HEALTHCHECK NONE', site)
    if (!isEmpty) site.fail('HEALTHCHECK NONE takes no arguments')
    return { ...node, check: undefined }
  }
  const flags = readFlags(childrenOf(children, 'flags'), 'healthcheck', site)
  if (name !== 'CMD') {
    site.fail(`Unknown type ${JSON.stringify(name)} in HEALTHCHECK (try CMD)`, {
      range: site.range(type),
    })
    return undefined
  }
  if (isEmpty) {
    if (!site.hasFailed) site.fail('Missing command after HEALTHCHECK CMD')
    return undefined
  }
  return { ...node, check: { command, ...timing(flags, site) } }
}

function timing(flags: Flags, site: Site): Omit<Healthcheck, 'command'> {
  const duration = (name: string): number | undefined => durationOf(name, flags.one(name), site)
  return {
    interval: duration('interval'),
    timeout: duration('timeout'),
    startPeriod: duration('start-period'),
    startInterval: duration('start-interval'),
    retries: retriesOf(flags.one('retries'), site),
  }
}

/** Zero is the same as no value: the default of the runtime. */
function durationOf(name: string, word: Word | undefined, site: Site): number | undefined {
  if (word === undefined || word.raw === '') return undefined
  const { raw, range } = word
  const nanoseconds = parseDuration(raw)
  if (typeof nanoseconds !== 'number') {
    site.fail(nanoseconds.mistake, { range, hint: 'write it like 30s, 1m30s or 500ms' })
    return undefined
  }
  if (nanoseconds === 0) return undefined
  if (nanoseconds < MILLISECOND) {
    site.fail(`Interval ${JSON.stringify(name)} cannot be less than 1ms`, { range })
  }
  return nanoseconds
}

function retriesOf(word: Word | undefined, site: Site): number | undefined {
  if (word === undefined || word.raw === '') return undefined
  const { raw, range } = word
  const retries = /^[+-]?\d+$/.test(raw) ? Number(raw) : Number.NaN
  const isInRange = retries >= -0x80000000 && retries <= 0x7fffffff
  if (!isInRange) {
    const problem = Number.isNaN(retries) ? 'invalid syntax' : 'value out of range'
    site.fail(`strconv.ParseInt: parsing ${JSON.stringify(raw)}: ${problem}`, { range })
    return undefined
  }
  if (retries < 0) site.fail(`--retries cannot be negative (${retries})`, { range })
  return retries === 0 ? undefined : retries
}
