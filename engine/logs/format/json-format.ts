import { formatTime, parseTime } from '#engine/model'
import type { EntryFormat, LogEntry } from './entry-format.ts'
import { escapeBytes, needsNoEscape } from './escape-json.ts'
import type { LineRun } from './line-run.ts'
import { endsLine } from './log-line.ts'

/**
 * Docker's json-file, byte for byte, which other programs read as well.
 * Spec: moby daemon/logger/jsonfilelog/jsonlog/jsonlogbytes.go
 * @param attributes of every entry; none without names
 */
export function jsonFormat(attributes: Readonly<Record<string, string>>): EntryFormat {
  const names = Object.keys(attributes).sort()
  const sorted = Object.fromEntries(names.map((name) => [name, attributes[name]]))
  const member = names.length === 0 ? '' : `,"attrs":${escapeMarkup(JSON.stringify(sorted))}`
  return {
    encode: (run) => encode(run, member),
    decode,
    repair: Buffer.from('\n'),
  }
}

const START = '{"log":"'

function encode({ stream, time, bytes }: LineRun, member: string): Buffer {
  const end = `","stream":"${stream}"${member},"time":"${formatTime(time)}"}\n`
  const isPiece = !endsLine(bytes)
  const body = isPiece ? bytes : bytes.subarray(0, -1)
  const last = isPiece ? end : `\\n${end}`
  const between = `\\n${end}${START}`
  if (needsNoEscape(body)) {
    const text = body.toString('latin1').replaceAll('\n', () => between)
    return Buffer.from(`${START}${text}${last}`)
  }
  const escaped = escapeBytes(body, Buffer.from(between))
  return Buffer.concat([Buffer.from(START), escaped, Buffer.from(last)])
}

/** What Go escapes in JSON besides what has to be. */
function escapeMarkup(json: string): string {
  return json.replaceAll(/[<>&\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

function decode(entry: Buffer): LogEntry | undefined {
  const { log, stream, time } = parse(entry) ?? {}
  if (typeof log !== 'string' || typeof time !== 'string') return undefined
  const nanoseconds = parseTime(time)
  if (nanoseconds === undefined || (stream !== 'stdout' && stream !== 'stderr')) return undefined
  return { stream, time: nanoseconds, data: Buffer.from(log) }
}

function parse(entry: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(entry.toString())
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}
