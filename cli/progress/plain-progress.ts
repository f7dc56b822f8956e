import {
  type BuildFact,
  isOfVertex,
  unreachable,
  type VertexCached,
  type VertexCancelled,
  type VertexDone,
  type VertexFailed,
  type VertexLog,
  type VertexProgress,
} from '#core'
import { cleanLine, formatBytes, formatSeconds } from '../terminal/text.ts'
import type { Progress, ProgressOptions } from './progress.ts'
import { formatLogTime, LogClip, type LogLimits, StepLines } from './step-output.ts'

/** A step that prints keeps the page for this long while others wait, milliseconds. */
const PAGE_TIME = 5000
/** A step that is silent gives the page away after this long, milliseconds. */
const SILENCE = 1000
/** An unfinished line is shown as it is when nothing follows for this long, milliseconds. */
const LINE_WAIT = 3000
/** A step with more lines than this waiting gets the page at once. */
const PENDING_LIMIT = 2000
/** A running transfer is reported this often, milliseconds. */
const TRANSFER_INTERVAL = 5000

interface Vertex {
  readonly name: string
  readonly started: number
  readonly clip: LogClip
  readonly lines: StepLines
  readonly transfers: Map<string, Transfer>
  /** Given when it is printed for the first time. */
  number: number | undefined
  /** Lines without their number, waiting for the page. */
  pending: string[]
  /** When the oldest pending line came; when its output last changed. */
  pendingSince: number
  lastOutput: number
  finished: boolean
}

interface Transfer {
  readonly started: number
  printed: number
}

/**
 * BuildKit's line format: `#5 [2/4] RUN make`, `#5 0.123 text`, `#5 DONE 0.2s`. One step has the
 * page at a time; when another takes over, the first is left with `#5 ...` and a blank line.
 */
export class PlainProgress implements Progress {
  readonly #write: (text: string) => void
  readonly #now: () => number
  readonly #limits: LogLimits
  readonly #vertices = new Map<string, Vertex>()
  #current: Vertex | undefined
  #pageSince = 0
  #lastPrint = 0
  #numbers = 0
  #out = ''

  constructor(options: ProgressOptions) {
    this.#write = options.write
    this.#now = options.now
    this.#limits = options.limits
  }

  handle(event: BuildFact): void {
    this.#apply(event)
    this.#flush()
  }

  /** Lets waiting steps have the page; call it a few times a second. */
  tick(): void {
    const now = this.#now()
    for (const vertex of this.#vertices.values()) {
      if (vertex.finished || now - vertex.lastOutput < LINE_WAIT) continue
      this.#say(
        vertex,
        vertex.lines.take().map((line) => this.#stamp(vertex, line)),
      )
    }
    this.#share()
    this.#flush()
  }

  close(): void {
    for (const vertex of this.#vertices.values()) if (vertex.pending.length > 0) this.#show(vertex)
    this.#flush()
  }

  #apply(event: BuildFact): void {
    if (!isOfVertex(event)) return
    if (event.type === 'started') {
      this.#start(event.vertex, event.name)
      return
    }
    const vertex = this.#vertices.get(event.vertex)
    if (vertex === undefined || vertex.finished) return
    if (event.type === 'log') this.#log(vertex, event)
    else if (event.type === 'progress') this.#transfer(vertex, event)
    else this.#finish(vertex, lastLine(event))
  }

  #start(id: string, name: string): void {
    const now = this.#now()
    const vertex: Vertex = {
      name: cleanLine(name),
      started: now,
      clip: new LogClip(this.#limits),
      lines: new StepLines(),
      transfers: new Map(),
      number: undefined,
      pending: [],
      pendingSince: now,
      lastOutput: now,
      finished: false,
    }
    this.#vertices.set(id, vertex)
    if (this.#current === undefined) this.#show(vertex)
  }

  #log(vertex: Vertex, event: VertexLog): void {
    const now = this.#now()
    const { shown, note } = vertex.clip.admit(event.data, (now - vertex.started) / 1000)
    const lines = vertex.lines.push({ stream: event.stream, data: shown })
    vertex.lastOutput = now
    const rest = note === undefined ? [] : [...vertex.lines.take(), note]
    this.#say(
      vertex,
      [...lines, ...rest].map((line) => this.#stamp(vertex, line)),
    )
    if (vertex.pending.length > PENDING_LIMIT) this.#show(vertex)
    this.#share()
  }

  #stamp(vertex: Vertex, line: string): string {
    return `${formatLogTime(this.#now() - vertex.started)} ${line}`
  }

  #transfer(vertex: Vertex, event: VertexProgress): void {
    const now = this.#now()
    const known = vertex.transfers.get(event.id)
    const transfer = known ?? { started: now, printed: now }
    if (known === undefined) vertex.transfers.set(event.id, transfer)
    if (!event.done && now - transfer.printed < TRANSFER_INTERVAL) return
    transfer.printed = now
    const amount = transferAmount(event)
    const elapsed = now - transfer.started
    const time = elapsed > 10 ? ` ${formatSeconds(elapsed)}` : ''
    if (event.done) vertex.transfers.delete(event.id)
    this.#say(vertex, [`${cleanLine(event.id)}${amount}${time}${event.done ? ' done' : ''}`])
  }

  /** Prints the last line of a vertex at once, also while another vertex has the page. */
  #finish(vertex: Vertex, line: string): void {
    vertex.pending.push(...vertex.lines.take().map((text) => this.#stamp(vertex, text)), line)
    vertex.finished = true
    this.#show(vertex)
    this.#current = undefined
    const next = this.#longestWaiting() ?? this.#neverShown()
    if (next !== undefined) this.#show(next)
  }

  #say(vertex: Vertex, lines: readonly string[]): void {
    if (lines.length === 0) return
    if (vertex.pending.length === 0) vertex.pendingSince = this.#now()
    vertex.pending.push(...lines)
    if (this.#current === undefined || this.#current === vertex) this.#show(vertex)
  }

  /** Gives the page to a vertex that waits, when the present one has had it long enough. */
  #share(): void {
    const now = this.#now()
    const silent = now - this.#lastPrint >= SILENCE
    if (this.#current !== undefined && !silent && now - this.#pageSince < PAGE_TIME) return
    const next = this.#longestWaiting()
    if (next !== undefined) this.#show(next)
  }

  #longestWaiting(): Vertex | undefined {
    let found: Vertex | undefined
    for (const vertex of this.#vertices.values()) {
      if (vertex.pending.length === 0 || vertex === this.#current) continue
      if (found === undefined || vertex.pendingSince < found.pendingSince) found = vertex
    }
    return found
  }

  #neverShown(): Vertex | undefined {
    for (const vertex of this.#vertices.values()) if (vertex.number === undefined) return vertex
    return undefined
  }

  /** Prints what a vertex has to say, with its header when it did not have the page. */
  #show(vertex: Vertex): void {
    const first = this.#numbers === 0
    if (vertex.number === undefined) {
      this.#numbers += 1
      vertex.number = this.#numbers
    }
    if (vertex !== this.#current) {
      if (this.#current !== undefined) this.#out += `#${this.#current.number} ...\n`
      this.#out += `${first ? '' : '\n'}#${vertex.number} ${vertex.name}\n`
      this.#current = vertex
      this.#pageSince = this.#now()
    }
    for (const line of vertex.pending) this.#out += `#${vertex.number} ${line}\n`
    vertex.pending = []
    this.#lastPrint = this.#now()
  }

  #flush(): void {
    if (this.#out === '') return
    const text = this.#out
    this.#out = ''
    this.#write(text)
  }
}

function lastLine(event: VertexDone | VertexCached | VertexFailed | VertexCancelled): string {
  switch (event.type) {
    case 'done':
      return `DONE ${formatSeconds(event.milliseconds)}`
    case 'cached':
      return 'CACHED'
    case 'failed':
      return `ERROR: ${cleanLine(event.message)}`
    case 'cancelled':
      return 'CANCELED'
    default:
      return unreachable(event)
  }
}

function transferAmount(event: VertexProgress): string {
  if (event.total !== undefined && event.total > 0) {
    return ` ${formatBytes(event.current)} / ${formatBytes(event.total)}`
  }
  return event.current > 0 ? ` ${formatBytes(event.current)}` : ''
}
