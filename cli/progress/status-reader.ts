import { type BuildEvent, readDocument, type Shaped, shapes, type VertexLog } from '#core'
import { CANCELED, parseTime } from './solve-status.ts'

const { boolean, integer, list, object, string } = shapes

const STATUS = object({
  vertexes: list(
    object({
      digest: string,
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
})

const FORM = { what: 'line of progress', code: 'IO_FAILED' } as const

type Status = Shaped<typeof STATUS>
type Vertex = NonNullable<Status['vertexes']>[number]

interface VertexTimes {
  readonly started: string | undefined
  readonly completed: string | undefined
}

/**
 * Turns BuildKit's status lines back into the events that progress is shown of. What a line says again
 * gives no event; plans and warnings give none.
 */
export class StatusReader {
  /** Start and end of each vertex as last read. */
  readonly #vertices = new Map<string, VertexTimes>()

  /** The events of the next line. @throws {TsbuildError} IO_FAILED */
  read(line: Uint8Array): readonly BuildEvent[] {
    const { vertexes = [], statuses = [], logs = [] } = readDocument(line, STATUS, FORM)
    return [
      ...vertexes.flatMap((vertex) => this.#vertexEvents(vertex)),
      ...statuses.map(
        ({ id = '', vertex = '', total, current = 0, timestamp, completed }): BuildEvent => ({
          type: 'progress',
          vertex,
          id,
          current,
          ...(total === undefined ? {} : { total }),
          done: completed !== undefined,
          time: timeOf(timestamp),
        }),
      ),
      ...logs.map(({ vertex = '', stream, data = '', timestamp }): BuildEvent => {
        const name: VertexLog['stream'] = stream === 2 ? 'stderr' : 'stdout'
        const bytes = Buffer.from(data, 'base64')
        return { type: 'log', vertex, stream: name, data: bytes, time: timeOf(timestamp) }
      }),
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
