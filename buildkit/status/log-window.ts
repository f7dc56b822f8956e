import { binarySize } from './log-clip.ts'

/** A piece of output, as readers get it. */
export interface LogPiece {
  /** Greater than that of every piece before it. */
  readonly version: number
  /** Digest of the vertex. */
  readonly vertex: string
  readonly stream: 1 | 2
  /** Milliseconds since 1970: of its first byte. */
  readonly time: number
  readonly data: Buffer
}

/** Bytes for what a piece takes beside its data. */
const OVERHEAD = 256
/** Output of a step that follows within this time is one piece, milliseconds. */
const PIECE_TIME = 100
/** Bytes. */
const PIECE_SIZE = 32 * 1024

/** What a reader takes at once, bytes. */
const PART_SIZE = 512 * 1024

interface LogPart {
  readonly pieces: readonly LogPiece[]
  /** Of the last piece. */
  readonly version: number
  /** There are no more at present. */
  readonly isAll: boolean
}

interface OpenPiece extends Pick<LogPiece, 'vertex' | 'stream' | 'time'> {
  data: Buffer[]
  size: number
}

/**
 * The latest output of a build, at most `capacity` bytes of it: what is older is dropped, and readers who have
 * not had it are told so.
 */
export class LogWindow {
  readonly #capacity: number
  readonly #nextVersion: () => number
  readonly #open = new Map<string, OpenPiece>()
  /** By vertex: the version of the last piece that was dropped. */
  readonly #dropped = new Map<string, number>()
  #pieces: LogPiece[] = []
  #first = 0
  #size = 0

  constructor(capacity: number, nextVersion: () => number) {
    this.#capacity = capacity
    this.#nextVersion = nextVersion
  }

  /** @param piece its data belong to the window from then on */
  add({ vertex, stream, time, data }: Omit<LogPiece, 'version'>): void {
    if (data.length === 0) return
    const known = this.#open.get(vertex)
    const isSame = known !== undefined && known.stream === stream && time - known.time < PIECE_TIME
    if (known !== undefined && !isSame) this.flush(vertex)
    const open = isSame ? known : { vertex, stream, time, data: [], size: 0 }
    open.data.push(data)
    open.size += data.length + OVERHEAD
    this.#open.set(vertex, open)
    if (open.size >= PIECE_SIZE) this.flush(vertex)
  }

  /** Makes a piece of what a vertex has printed so far. */
  flush(vertex: string): void {
    const open = this.#open.get(vertex)
    if (open === undefined) return
    this.#open.delete(vertex)
    const { stream, time } = open
    const data = open.data.length === 1 ? open.data[0] : undefined
    const whole = data ?? Buffer.concat(open.data)
    this.#pieces.push({ version: this.#nextVersion(), vertex, stream, time, data: whole })
    this.#size += whole.length + OVERHEAD
    while (this.#size > this.#capacity) this.#drop()
  }

  flushAll(): void {
    for (const vertex of [...this.#open.keys()]) this.flush(vertex)
  }

  /** What came after `version`, up to a limit, and before it a note for each vertex of which something is missing. */
  since(version: number): LogPart {
    const start = this.#indexAfter(version)
    const pieces: LogPiece[] = []
    let size = 0
    let index = start
    for (; index < this.#pieces.length && size < PART_SIZE; index++) {
      const piece = this.#pieces[index]
      if (piece === undefined) break
      pieces.push(piece)
      size += piece.data.length + OVERHEAD
    }
    const isAll = index >= this.#pieces.length
    const notes = this.#notesAfter(version, pieces[0]?.time ?? 0)
    return { pieces: [...notes, ...pieces], version: pieces.at(-1)?.version ?? version, isAll }
  }

  #notesAfter(version: number, time: number): readonly LogPiece[] {
    const limit = `${binarySize(this.#capacity)} of a build`
    const data = Buffer.from(`\n[output clipped, log limit ${limit} reached]\n`)
    const missing = [...this.#dropped].filter(([, last]) => last > version)
    return missing.map(([vertex]) => ({ version, vertex, stream: 2, time, data }))
  }

  /** Pieces are in the order of their versions. */
  #indexAfter(version: number): number {
    let low = this.#first
    let high = this.#pieces.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#pieces[middle]?.version ?? 0) > version) high = middle
      else low = middle + 1
    }
    return low
  }

  #drop(): void {
    const piece = this.#pieces[this.#first]
    if (piece === undefined) return
    this.#first++
    this.#size -= piece.data.length + OVERHEAD
    this.#dropped.set(piece.vertex, piece.version)
    if (this.#first < this.#pieces.length / 2) return
    this.#pieces = this.#pieces.slice(this.#first)
    this.#first = 0
  }
}
