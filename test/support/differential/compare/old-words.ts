/**
 * History texts that the BuildKit of docker.io 20.10 prints in another way than later releases,
 * brought into one form. Nothing else of a history is changed.
 */

/** As later releases print it. */
export function fromOldWords(text: string): string {
  return text
    .replace(
      /^EXPOSE map\[(.*)\]$/,
      (_, ports: string) => `EXPOSE [${ports.replaceAll(':{}', '')}]`,
    )
    .replace(/^HEALTHCHECK &\{\[(.*)\] "(.*?)" "(.*?)" "(.*?)" '(.*)'\}$/s, healthcheck)
}

/** `&{["CMD-SHELL" "x"] "30s" "0s" "0s" '\x03'}`: Go's `%q` of a structure. */
function healthcheck(...groups: readonly string[]): string {
  const [, test = '', interval, timeout, startPeriod, retries = ''] = groups
  const words = (test.match(/"(?:[^"\\]|\\.)*"/g) ?? []).map((word) => JSON.parse(word) as string)
  const times = `Interval:${interval} Timeout:${timeout} StartPeriod:${startPeriod}`
  return `HEALTHCHECK {Test:[${words.join(' ')}] ${times} StartInterval:0s Retries:${rune(retries)}}`
}

const ESCAPES = '\\a\\b\\t\\n\\v\\f\\r'

/** The number that Go prints as a quoted character: `\x03`, `\n`, `A`. */
function rune(text: string): number {
  const hex = /^\\[xuU]([0-9a-f]+)$/.exec(text)?.[1]
  if (hex !== undefined) return Number.parseInt(hex, 16)
  const place = ESCAPES.indexOf(text)
  if (text.startsWith('\\') && place >= 0) return 7 + place / 2
  return text.replace(/^\\/, '').codePointAt(0) ?? 0
}

/** Without what the old release leaves out: the flags of COPY and ADD, the order of ports and those named twice. */
export function commonWords(text: string): string {
  return text
    .replace(/^(COPY|ADD) (--(chown|chmod|parents)(=\S+)? )*/, '$1 ')
    .replace(
      /^EXPOSE \[(.*)\]$/,
      (_, ports: string) => `EXPOSE [${[...new Set(ports.split(' '))].sort().join(' ')}]`,
    )
}
