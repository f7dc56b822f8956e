import type { BuildEvent } from '#core'

/**
 * BuildKit's form of progress: what `docker buildx build --progress=rawjson` prints, an object a line.
 * Absent lists are empty.
 */
export interface SolveStatus {
  readonly vertexes?: readonly StatusVertex[]
  readonly statuses?: readonly StatusTransfer[]
  readonly logs?: readonly StatusLog[]
  readonly warnings?: readonly StatusWarning[]
  /** The event itself, see `recordOf`: BuildKit's clients ignore fields that they do not know. */
  readonly tsbuild?: object
}

/** A vertex as far as it has come: each object has everything that is known of it. Times are RFC 3339. */
export interface StatusVertex {
  /** Its ID, in the form of a digest. */
  readonly digest: string
  readonly inputs?: readonly string[]
  readonly name: string
  readonly started?: string
  readonly completed?: string
  readonly cached?: boolean
  readonly error?: string
}

/** How far a transfer inside a vertex is; bytes. */
export interface StatusTransfer {
  readonly id: string
  readonly vertex: string
  readonly name: string
  readonly total?: number
  readonly current: number
  readonly timestamp: string
  readonly started?: string
  readonly completed?: string
}

/** A piece of a step's output; `data` is base64. */
export interface StatusLog {
  readonly vertex: string
  /** 1 is standard output, 2 is standard error. */
  readonly stream: number
  readonly data: string
  readonly timestamp: string
}

/** A warning of a build check or of the builder; `short` is base64. */
export interface StatusWarning {
  readonly vertex: string
  readonly level: number
  readonly short: string
  readonly url?: string
  readonly range?: readonly { readonly start: StatusPosition; readonly end: StatusPosition }[]
}

interface StatusPosition {
  /** 1-based. */
  readonly line: number
  readonly character: number
}

/** What BuildKit says of a vertex that was stopped. */
export const CANCELED = 'context canceled'

/** What a line carries of an event beside BuildKit's fields: of a log, its bytes are in these. */
export function recordOf(event: BuildEvent): object {
  if (event.type !== 'log') return event
  const { type, vertex, time } = event
  return { type, vertex, time }
}

/** RFC 3339 with nanoseconds. @param time milliseconds since 1970, with fractions */
export function formatTime(time: number): string {
  const whole = Math.floor(time)
  // Rounded: a fraction of a double often lies just below the decimal number that it stands for.
  const rest = Math.round((time - whole) * 1e6)
  const [milliseconds, nanoseconds] = rest < 1e6 ? [whole, rest] : [whole + 1, 0]
  const text = new Date(milliseconds).toISOString().slice(0, -1)
  return `${text}${String(nanoseconds).padStart(6, '0')}Z`
}

/** The inverse of `formatTime`, for any number of digits and any zone; NaN for anything else. */
export function parseTime(text: string): number {
  const [, whole, fraction = '0', zone] =
    /^([^.Z+]+?)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(text) ?? []
  return Date.parse(`${whole}${zone}`) + Number(`0.${fraction}`) * 1000
}
