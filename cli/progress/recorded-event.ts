import { type BuildEvent, type Json, type PlannedVertex, type Shape, shapes } from '#core'

const { any, boolean, integer, list, object, string } = shapes

/** Of a planned vertex, what a recording says. */
interface RecordedVertex extends Partial<Omit<PlannedVertex, 'lines'>> {
  readonly lines?: Partial<PlannedVertex['lines']>
}

/** What a line of progress may carry of an event: the fields of every type. */
export interface RecordedEvent {
  readonly type?: string
  readonly time?: Json
  readonly vertices?: readonly RecordedVertex[]
  readonly vertex?: string
  readonly name?: string
  readonly reason?: string
  readonly part?: string
  readonly started?: Json
  readonly id?: string
  readonly current?: number
  readonly total?: number
  readonly done?: boolean
  readonly milliseconds?: Json
  readonly key?: string
  readonly by?: string
  readonly message?: string
  readonly line?: number
  readonly rule?: string
  readonly url?: string
  readonly subject?: string
  readonly value?: string
  readonly processor?: Json
  readonly largestProcess?: number
  readonly memory?: number
  readonly build?: string
  readonly step?: string
  readonly hasLog?: boolean
  readonly hasLayer?: boolean
}

/** The shape of the field `tsbuild`. */
export const RECORDED_EVENT: Shape<RecordedEvent> = object({
  type: string,
  time: any,
  vertices: list(
    object({
      id: string,
      name: string,
      op: string,
      inputs: list(string),
      stage: string,
      lines: object({ start: integer, end: integer }),
      platform: string,
    }),
  ),
  vertex: string,
  name: string,
  reason: string,
  part: string,
  started: any,
  id: string,
  current: integer,
  total: integer,
  done: boolean,
  milliseconds: any,
  key: string,
  by: string,
  message: string,
  line: integer,
  rule: string,
  url: string,
  subject: string,
  value: string,
  processor: any,
  largestProcess: integer,
  memory: integer,
  build: string,
  step: string,
  hasLog: boolean,
  hasLayer: boolean,
})

/** The fields without which an event has no meaning. */
const REQUIRED: Readonly<Record<string, readonly (keyof RecordedEvent)[]>> = {
  planned: ['vertices'],
  started: ['vertex', 'name'],
  progress: ['vertex', 'id', 'current', 'done'],
  done: ['vertex', 'milliseconds'],
  cached: ['vertex'],
  kept: ['vertex', 'build', 'step', 'hasLog', 'hasLayer'],
  failed: ['vertex', 'message', 'milliseconds'],
  cancelled: ['vertex'],
  warning: ['message'],
  choice: ['subject', 'value'],
  span: ['part', 'started', 'milliseconds'],
  usage: ['vertex', 'processor', 'largestProcess'],
  log: ['vertex'],
}

/**
 * The event of which `recordOf` was written; `undefined` for what is not one, for example that of a
 * later version.
 * @param log the log in BuildKit's fields of the same line
 */
export function eventOf(
  recorded: RecordedEvent,
  log: { readonly stream: 'stdout' | 'stderr'; readonly data: Uint8Array } | undefined,
): BuildEvent | undefined {
  const { type = '', time, started = 0, milliseconds = 0, processor = 0, vertices } = recorded
  const required = Object.hasOwn(REQUIRED, type) ? REQUIRED[type] : undefined
  if (required?.every((field) => recorded[field] !== undefined) !== true) return undefined
  const numbers = [time, started, milliseconds, processor]
  if (!numbers.every((one) => typeof one === 'number')) return undefined
  if (type === 'log' && log === undefined) return undefined
  const plan = vertices === undefined ? {} : { vertices: vertices.map(plannedVertex) }
  return { ...recorded, ...plan, ...log } as unknown as BuildEvent
}

/** A vertex of a plan; what a recording does not say of it is empty. */
export function plannedVertex(known: RecordedVertex): PlannedVertex {
  const { id = '', name = '', op = '', inputs = [], stage = '', lines = {}, platform = '' } = known
  const { start = 0, end = 0 } = lines
  return { ...known, id, name, op, inputs, stage, lines: { ...lines, start, end }, platform }
}
