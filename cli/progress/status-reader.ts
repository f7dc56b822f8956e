import { type BuildEvent, readDocument, type Shaped, shapes } from '#core'
import { eventOf, plannedVertex, RECORDED_EVENT } from './recorded-event.ts'
import { CANCELED, parseTime } from './solve-status.ts'

const { boolean, integer, list, object, string } = shapes

const STATUS = object({
  vertexes: list(
    object({
      digest: string,
      inputs: list(string),
      name: string,
      started: string,
      completed: string,
      cached: boolean,
      error: string,
    }),
  ),
  statuses: list(
    object({
      id: string,
      vertex: string,
      total: integer,
      current: integer,
      timestamp: string,
      completed: string,
    }),
  ),
  logs: list(object({ vertex: string, stream: integer, data: string, timestamp: string })),
  warnings: list(
    object({
      vertex: string,
      short: string,
      url: string,
      range: list(object({ start: object({ line: integer }) })),
    }),
  ),
  tsbuild: RECORDED_EVENT,
})

const FORM = { what: 'line of progress', code: 'IO_FAILED' } as const

type Status = Shaped<typeof STATUS>
type Vertex = NonNullable<Status['vertexes']>[number]
type Transfer = NonNullable<Status['statuses']>[number]
type Log = NonNullable<Status['logs']>[number]
type Warning = NonNullable<Status['warnings']>[number]

interface VertexTimes {
  readonly started: string | undefined
  readonly completed: string | undefined
}

/**
 * Turns status lines back into events: ours into the very event that they were written of, BuildKit's
 * into what they say. What a line says again gives no event. What has no time gets that of the event
 * before it, or 0.
 */
export class StatusReader {
  /** Start and end of each vertex as last read. */
  readonly #vertices = new Map<string, VertexTimes>()
  #time = 0

  /** The events of the next line. @throws {TsbuildError} IO_FAILED */
  read(line: Uint8Array): readonly BuildEvent[] {
    const status = readDocument(line, STATUS, FORM)
    const { tsbuild, logs: [log] = [] } = status
    const own = tsbuild && eventOf(tsbuild, log && logContent(log))
    const events = own === undefined ? this.#eventsOf(status) : [own]
    this.#time = events.at(-1)?.time ?? this.#time
    return events
  }

  #eventsOf({ vertexes = [], statuses = [], logs = [], warnings = [] }: Status): BuildEvent[] {
    const vertices = vertexes
      .filter((vertex) => !this.#vertices.has(vertex.digest ?? ''))
      .filter(({ started, inputs = [] }) => started === undefined || inputs.length > 0)
      .map(({ digest = '', name = '', inputs = [] }) => plannedVertex({ id: digest, name, inputs }))
    const time = this.#time
    return [
      ...(vertices.length === 0 ? [] : [{ type: 'planned', vertices, time } as const]),
      ...vertexes.flatMap((vertex) => this.#vertexEvents(vertex)),
      ...statuses.map(progressEvent),
      ...logs.map((log): BuildEvent => {
        const { vertex = '', timestamp } = log
        return { type: 'log', vertex, ...logContent(log), time: timeOf(timestamp) }
      }),
      ...warnings.map((warning) => warningEvent(warning, time)),
    ]
  }

  #vertexEvents({ digest = '', name = '', ...vertex }: Vertex): readonly BuildEvent[] {
    const { started, completed } = vertex
    const known = this.#vertices.get(digest)
    this.#vertices.set(digest, { started, completed })
    if (started === undefined) return []
    const events: BuildEvent[] = []
    if (known?.started !== started) {
      events.push({ type: 'started', vertex: digest, name, time: timeOf(started) })
    }
    if (completed !== undefined && (known?.completed !== completed || known.started !== started)) {
      events.push(endOf(digest, vertex, { from: timeOf(started), to: timeOf(completed) }))
    }
    return events
  }
}

function progressEvent(transfer: Transfer): BuildEvent {
  const { id = '', vertex = '', total, current = 0, timestamp, completed } = transfer
  const known = total === undefined ? {} : { total }
  const done = completed !== undefined
  return { type: 'progress', vertex, id, current, ...known, done, time: timeOf(timestamp) }
}

function logContent({ stream, data = '' }: Log): {
  readonly stream: 'stdout' | 'stderr'
  readonly data: Uint8Array
} {
  return { stream: stream === 2 ? 'stderr' : 'stdout', data: Buffer.from(data, 'base64') }
}

/** BuildKit writes the rule of a build check in front of its message, and the line behind it. */
function warningEvent({ vertex, short = '', url, range }: Warning, time: number): BuildEvent {
  const text = Buffer.from(short, 'base64').toString()
  const [, rule, message = text] = /^(?:([A-Z]\w+): )?(.*?)(?: \(line \d+\))?$/s.exec(text) ?? []
  const line = range?.[0]?.start?.line
  return {
    type: 'warning',
    ...(vertex === undefined ? {} : { vertex }),
    message,
    ...(line === undefined ? {} : { line }),
    ...(rule === undefined ? {} : { rule }),
    ...(url === undefined ? {} : { url }),
    time,
  }
}

function endOf(
  digest: string,
  { cached, error = '' }: Pick<Vertex, 'cached' | 'error'>,
  { from, to }: { readonly from: number; readonly to: number },
): BuildEvent {
  const common = { vertex: digest, time: to }
  const milliseconds = to - from
  if (cached === true) return { type: 'cached', ...common }
  if (error === '') return { type: 'done', milliseconds, ...common }
  if (error.endsWith(CANCELED)) return { type: 'cancelled', ...common }
  return { type: 'failed', message: error, milliseconds, ...common }
}

function timeOf(text: string | undefined): number {
  const time = parseTime(text ?? '')
  return Number.isNaN(time) ? 0 : time
}
