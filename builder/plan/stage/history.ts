import type { Healthcheck } from '#core'

/** The `created_by` texts of BuildKit, which tools parse: one function an instruction. */

/** The text of an ENV. */
export function env(entries: readonly (readonly [string, string])[]): string {
  return `ENV ${entries.map(([key, value]) => `${key}=${value}`).join(' ')}`
}

/** The text of a LABEL. */
export function label(entries: readonly (readonly [string, string])[]): string {
  return `LABEL ${entries.map(([key, value]) => `${key}=${value}`).join(' ')}`
}

/** Declared arguments, `KEY=value`, come first, counted, as they do in `docker history`. */
export function run(args: readonly string[], declared: readonly string[]): string {
  const prefix = declared.length === 0 ? [] : [`|${declared.length}`, ...declared]
  return `RUN ${[...prefix, ...args].join(' ')} # buildkit`
}

/** The words of a COPY or ADD after expansion. */
export interface CopiedText {
  readonly instruction: 'COPY' | 'ADD'
  readonly parents: boolean
  readonly chown: string | undefined
  readonly chmod: string | undefined
  readonly sources: readonly string[]
  readonly destination: string
}

/** The text of a COPY or ADD. */
export function copy(text: CopiedText): string {
  const flags = [
    ...(text.parents ? ['--parents'] : []),
    ...(text.chown === undefined ? [] : [`--chown=${text.chown}`]),
    ...(text.chmod === undefined ? [] : [`--chmod=${text.chmod}`]),
  ]
  const words = [text.instruction, ...flags, ...text.sources, text.destination]
  return `${words.join(' ')} # buildkit`
}

/** Go's `%q` of a list of strings. */
export function quotedList(items: readonly string[]): string {
  return `[${items.map(goQuote).join(' ')}]`
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '"': '\\"',
  '\\': '\\\\',
}

/** What Go prints as it is: of white space, only the blank. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u

/** The expression takes a millisecond to compile, which most texts do not need. */
function isPrintable(char: string): boolean {
  return (char >= ' ' && char <= '~') || PRINTABLE.test(char)
}

function goQuote(text: string): string {
  const quoted = [...text.toWellFormed()].map((char) => {
    const escaped = ESCAPES[char]
    if (escaped !== undefined) return escaped
    if (isPrintable(char)) return char
    const code = char.codePointAt(0) ?? 0
    const hex = code.toString(16)
    if (code < 0x80) return `\\x${hex.padStart(2, '0')}`
    return code > 0xffff ? `\\U${hex.padStart(8, '0')}` : `\\u${hex.padStart(4, '0')}`
  })
  return `"${quoted.join('')}"`
}

/** Go's `%+v` of Docker's health check. */
export function healthcheck(check: Healthcheck): string {
  const { Test, Interval, Timeout, StartPeriod, StartInterval, Retries } = check
  const fields = [
    `Test:[${(Test ?? []).join(' ')}]`,
    `Interval:${goDuration(Interval ?? 0)}`,
    `Timeout:${goDuration(Timeout ?? 0)}`,
    `StartPeriod:${goDuration(StartPeriod ?? 0)}`,
    `StartInterval:${goDuration(StartInterval ?? 0)}`,
    `Retries:${Retries ?? 0}`,
  ]
  return `HEALTHCHECK {${fields.join(' ')}}`
}

/** Nanoseconds as Go prints them: `1m30s`, `500ms`, `0s`. */
function goDuration(nanoseconds: number): string {
  if (nanoseconds === 0) return '0s'
  if (nanoseconds < 1e3) return `${nanoseconds}ns`
  if (nanoseconds < 1e6) return `${nanoseconds / 1e3}µs`
  if (nanoseconds < 1e9) return `${nanoseconds / 1e6}ms`
  const seconds = nanoseconds / 1e9
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.floor((seconds % 3600) / 60)
  const rest = Number((seconds - hours * 3600 - minutes * 60).toFixed(9))
  const head = hours > 0 ? `${hours}h${minutes}m` : minutes > 0 ? `${minutes}m` : ''
  return `${head}${rest}s`
}
