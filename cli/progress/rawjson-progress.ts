import {
  type BuildEvent,
  type BuildWarning,
  digestOf,
  isDigest,
  unreachable,
  type VertexLog,
  type VertexProgress,
} from '#core'
import type { Progress } from './progress.ts'
import {
  CANCELED,
  formatTime,
  recordOf,
  type SolveStatus,
  type StatusLog,
  type StatusTransfer,
  type StatusVertex,
  type StatusWarning,
} from './solve-status.ts'

/** What is known of a vertex, and when it has started. */
interface KnownVertex {
  readonly status: StatusVertex
  readonly started: number
}

/** The vertex of warnings about the whole build, which is announced with the first of them. */
const WARNINGS = { id: 'warnings', name: '[internal] warnings' }

/**
 * `--progress=rawjson`: one of BuildKit's status objects a line for each event, with the event itself in
 * the field `tsbuild`.
 */
export class RawJsonProgress implements Progress {
  readonly #write: (text: string) => void
  readonly #vertices = new Map<string, KnownVertex>()
  readonly #transfers = new Map<string, string>()

  constructor(write: (text: string) => void) {
    this.#write = write
  }

  handle(event: BuildEvent): void {
    this.#write(`${JSON.stringify({ ...this.#statusOf(event), tsbuild: recordOf(event) })}\n`)
  }

  /** Nothing is shown that depends on the time. */
  tick(): void {}

  /** Every line was written when its event came. */
  close(): void {}

  #statusOf(event: BuildEvent): SolveStatus {
    switch (event.type) {
      case 'planned':
        return { vertexes: event.vertices.map((vertex) => this.#plan(vertex)) }
      case 'started':
        return { vertexes: [this.#start(event)] }
      case 'log':
        return { logs: [logOf(event)] }
      case 'progress':
        return { statuses: [this.#transfer(event)] }
      case 'warning':
        return this.#warn(event)
      case 'choice':
      case 'span':
      case 'usage':
      case 'kept':
        return {}
      case 'done':
        return { vertexes: [this.#end(event.vertex, { after: event.milliseconds })] }
      case 'failed': {
        const { vertex, milliseconds, message } = event
        return { vertexes: [this.#end(vertex, { after: milliseconds, error: message })] }
      }
      case 'cached':
        return { vertexes: [this.#end(event.vertex, { at: event.time, cached: true })] }
      case 'cancelled':
        return { vertexes: [this.#end(event.vertex, { at: event.time, error: CANCELED })] }
      default:
        return unreachable(event)
    }
  }

  /** BuildKit's clients show warnings at their vertices. */
  #warn(warning: BuildWarning): SolveStatus {
    const id = warning.vertex ?? WARNINGS.id
    const warnings = [warningOf(warning, id)]
    if (id !== WARNINGS.id || this.#vertices.has(id)) return { warnings }
    return { vertexes: [this.#plan({ ...WARNINGS, inputs: [] })], warnings }
  }

  #plan(planned: { id: string; name: string; inputs: readonly string[] }): StatusVertex {
    const { id, name, inputs } = planned
    const status = {
      digest: vertexDigest(id),
      ...(inputs.length === 0 ? {} : { inputs: inputs.map(vertexDigest) }),
      name,
    }
    this.#vertices.set(id, { status, started: 0 })
    return status
  }

  #start(event: { vertex: string; name: string; time: number }): StatusVertex {
    const { vertex, name, time } = event
    const planned = this.#vertices.get(vertex)?.status ?? { digest: vertexDigest(vertex) }
    const status = { ...planned, name, started: formatTime(time) }
    this.#vertices.set(vertex, { status, started: time })
    return status
  }

  #end(
    id: string,
    end: {
      readonly at?: number
      /** Milliseconds since the start. */
      readonly after?: number
      readonly cached?: boolean
      readonly error?: string
    },
  ): StatusVertex {
    const { status, started } = this.#vertices.get(id) ?? {
      status: { digest: vertexDigest(id), name: id },
      started: 0,
    }
    const { at, after = 0, ...rest } = end
    return { ...status, completed: formatTime(at ?? started + after), ...rest }
  }

  #transfer(event: VertexProgress & { readonly time: number }): StatusTransfer {
    const { id, vertex, total, current, done, time } = event
    const timestamp = formatTime(time)
    const key = `${vertex}\n${id}`
    const started = this.#transfers.get(key) ?? timestamp
    if (done) this.#transfers.delete(key)
    else this.#transfers.set(key, started)
    return {
      id,
      vertex: vertexDigest(vertex),
      name: 'transferring',
      ...(total === undefined ? {} : { total }),
      current,
      timestamp,
      started,
      ...(done ? { completed: timestamp } : {}),
    }
  }
}

function logOf({ vertex, stream, data, time }: VertexLog & { readonly time: number }): StatusLog {
  return {
    vertex: vertexDigest(vertex),
    stream: stream === 'stdout' ? 1 : 2,
    data: Buffer.from(data).toString('base64'),
    timestamp: formatTime(time),
  }
}

function warningOf(warning: BuildWarning, vertex: string): StatusWarning {
  const { rule, message, line, url } = warning
  const text = rule === undefined ? message : `${rule}: ${message}`
  const place = line === undefined ? '' : ` (line ${line})`
  const position = line === undefined ? undefined : { line, character: 0 }
  return {
    vertex: vertexDigest(vertex),
    level: 1,
    short: Buffer.from(text + place).toString('base64'),
    ...(url === undefined ? {} : { url }),
    ...(position === undefined ? {} : { range: [{ start: position, end: position }] }),
  }
}

/** The ID of a vertex as BuildKit has it; that of a replayed one is a digest already. */
function vertexDigest(id: string): string {
  return isDigest(id) ? id : digestOf(id)
}
