import { type BuildFact, isOfVertex } from '#core'
import { cleanLine, formatBytes, formatSeconds } from '../terminal/text.ts'
import { cutToWidth, padToWidth } from '../terminal/width.ts'
import { formatLogTime, LogTail } from './step-output.ts'

/** Lines of output shown under a running step. */
const TAIL_LINES = 6
/** Transfers shown under one step. */
const TRANSFER_LINES = 6
const BAR = 20

type State = 'running' | 'done' | 'cached' | 'failed' | 'cancelled'

interface ShownVertex {
  readonly name: string
  readonly started: number
  readonly tail: LogTail
  readonly transfers: Map<string, ShownTransfer>
  state: State
  milliseconds: number
}

interface ShownTransfer {
  readonly started: number
  current: number
  total: number | undefined
}

/** What a live view knows of a build: every vertex with its state and the end of its output. */
export class BuildScreen {
  readonly #vertices = new Map<string, ShownVertex>()
  readonly #started: number

  /** `now` is the start of the build, milliseconds. */
  constructor(now: number) {
    this.#started = now
  }

  apply(event: BuildFact, now: number): void {
    if (!isOfVertex(event)) return
    if (event.type === 'started') {
      this.#vertices.set(event.vertex, {
        name: cleanLine(event.name),
        started: now,
        tail: new LogTail(TAIL_LINES),
        transfers: new Map(),
        state: 'running',
        milliseconds: 0,
      })
      return
    }
    const vertex = this.#vertices.get(event.vertex)
    if (vertex === undefined || vertex.state !== 'running') return
    switch (event.type) {
      case 'log':
        vertex.tail.push(event, `${formatLogTime(now - vertex.started)} `)
        return
      case 'progress': {
        const known = vertex.transfers.get(event.id)
        const { current, total } = event
        if (event.done) vertex.transfers.delete(event.id)
        else vertex.transfers.set(event.id, { started: known?.started ?? now, current, total })
        return
      }
      case 'done':
      case 'failed':
        vertex.milliseconds = event.milliseconds
        vertex.state = event.type
        return
      case 'cached':
        vertex.state = 'cached'
        return
      case 'cancelled':
        vertex.milliseconds = now - vertex.started
        vertex.state = 'cancelled'
    }
  }

  /** The view of a running build: at most `rows` lines, none wider than `columns`. */
  frame(now: number, size: FrameSize): readonly string[] {
    const vertices = [...this.#vertices.values()]
    const running = vertices.filter((vertex) => vertex.state === 'running')
    const room = size.rows - 1
    const kept = visibleVertices(vertices, running, room)
    const spare = Math.max(0, room - kept.length)
    const share = running.length === 0 ? 0 : Math.floor(spare / running.length)
    const lines = kept.flatMap((vertex) => [
      vertexLine(vertex, now, size),
      ...(vertex.state === 'running' ? detailLines(vertex, now, { ...size, rows: share }) : []),
    ])
    return [this.#header(now, size, ''), ...lines]
  }

  /** The view that stays on the screen: every vertex, however many there are. */
  lastFrame(now: number, size: FrameSize): readonly string[] {
    const vertices = [...this.#vertices.values()]
    const ended = vertices.every((vertex) => vertex.state !== 'running') ? ' FINISHED' : ''
    return [
      this.#header(now, size, ended),
      ...vertices.map((vertex) => vertexLine(vertex, now, size)),
    ]
  }

  #header(now: number, size: FrameSize, ending: string): string {
    const vertices = [...this.#vertices.values()]
    const ended = vertices.filter((vertex) => vertex.state !== 'running').length
    const time = formatSeconds(now - this.#started)
    return cutToWidth(`[+] Building ${time} (${ended}/${vertices.length})${ending}`, size.columns)
  }
}

/** How much room a frame has, and whether it may have colours. */
export interface FrameSize {
  readonly columns: number
  readonly rows: number
  /** False where colours are not wanted. */
  readonly color: boolean
}

/** Drops the oldest finished vertices, then the oldest running ones, until `room` is enough. */
function visibleVertices(
  vertices: readonly ShownVertex[],
  running: readonly ShownVertex[],
  room: number,
): readonly ShownVertex[] {
  // A running step keeps a line of output in view where possible.
  const wanted = Math.max(1, room - Math.min(running.length, Math.floor(room / 2)))
  let surplus = vertices.length - wanted
  if (surplus <= 0) return vertices
  const kept = vertices.filter((vertex) => vertex.state === 'running' || surplus-- <= 0)
  return kept.slice(-Math.max(1, room))
}

const COLORS: Readonly<Record<State, string>> = {
  running: '',
  done: '\x1b[36m',
  cached: '\x1b[36m',
  failed: '\x1b[31m',
  cancelled: '\x1b[33m',
}
const DIM = '\x1b[2m'
const RESET = '\x1b[0m'

const PREFIXES: Readonly<Record<State, string>> = {
  running: '',
  done: '',
  cached: 'CACHED ',
  failed: 'ERROR ',
  cancelled: 'CANCELED ',
}

function vertexLine(vertex: ShownVertex, now: number, size: FrameSize): string {
  const time = vertex.state === 'running' ? now - vertex.started : vertex.milliseconds
  const line = columns(` => ${PREFIXES[vertex.state]}${vertex.name}`, formatSeconds(time), size)
  return paint(line, COLORS[vertex.state], size)
}

/** Transfers and the last output of a running vertex, in at most `size.rows` lines. */
function detailLines(vertex: ShownVertex, now: number, size: FrameSize): readonly string[] {
  const transfers = [...vertex.transfers]
    .slice(-Math.min(TRANSFER_LINES, size.rows))
    .map(([id, transfer]) => transferLine(id, transfer, { now, size }))
  const room = Math.min(TAIL_LINES, size.rows - transfers.length)
  const tail = room > 0 ? vertex.tail.lines(`${formatLogTime(now - vertex.started)} `) : []
  const output = tail.slice(-Math.max(room, 0)).map((line) => {
    return paint(cutToWidth(` => => # ${line}`, size.columns), DIM, size)
  })
  return room > 0 ? [...transfers, ...output] : transfers
}

function transferLine(
  id: string,
  transfer: ShownTransfer,
  { now, size }: { readonly now: number; readonly size: FrameSize },
): string {
  const { current, total } = transfer
  const name = shortId(cleanLine(id))
  const amount =
    total === undefined || total <= 0
      ? formatBytes(current)
      : `${bar(current / total)} ${formatBytes(current)} / ${formatBytes(total)}`
  return columns(` => => ${name} ${amount}`, formatSeconds(now - transfer.started), size)
}

function bar(ratio: number): string {
  const part = Math.min(1, Math.max(0, ratio))
  const full = Math.floor(part * BAR)
  const percent = `${Math.floor(part * 100)}%`.padStart(4)
  return `[${'#'.repeat(full)}${'-'.repeat(BAR - full)}]${percent}`
}

/** A digest's first twelve digits are enough on a screen. */
function shortId(id: string): string {
  return id.replaceAll(/sha256:([0-9a-f]{12})[0-9a-f]{52}/g, 'sha256:$1')
}

/** `left` and, at the right edge, `right`. */
function columns(left: string, right: string, size: FrameSize): string {
  const room = size.columns - right.length - 1
  if (room < 8) return cutToWidth(left, size.columns)
  return `${padToWidth(cutToWidth(left, room), room)} ${right}`
}

function paint(line: string, color: string, size: FrameSize): string {
  return size.color && color !== '' ? `${color}${line}${RESET}` : line
}
