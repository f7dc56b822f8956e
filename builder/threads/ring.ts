import { Buffer } from 'node:buffer'
import { checkpoint, type TsbuildError } from '#core'
import { peerGoneError } from './peer-gone.ts'

/** Memory that the two ends share; it can be posted to a thread. */
export type Ring = SharedArrayBuffer

const SLOTS = 4
const SLOT_BYTES = 512 * 1024
const DATA_AT = 4096

// Indices of the control words: slots that were filled and emptied so far, and bytes in each.
const FILLED = 0
const EMPTIED = 1
const BROKEN = 2
const LENGTHS = 3

/** Instead of a length: there are no more bytes. */
const END = -1

/** The longest wait before it is checked again whether the work is cancelled. */
const WAIT_MILLISECONDS = 50

/**
 * Makes a ring, through which bytes pass from one thread to another in shared memory: a pipe would copy
 * them in and out. It consists of slots that are filled and emptied in turn.
 */
export function makeRing(): Ring {
  return new SharedArrayBuffer(DATA_AT + SLOTS * SLOT_BYTES)
}

/** Makes a ring usable again, once both of its ends are done. */
export function resetRing(ring: Ring): void {
  controlOf(ring).fill(0)
}

/** To be called when an end of the ring has succeeded or failed: the other end must not wait for it. */
export function breakRing(ring: Ring): void {
  const control = controlOf(ring)
  Atomics.store(control, BROKEN, 1)
  Atomics.notify(control, FILLED)
  Atomics.notify(control, EMPTIED)
}

/** The writing end of a ring, for one thread. */
export class RingWriter {
  readonly #control: Int32Array<SharedArrayBuffer>
  readonly #slots: readonly Buffer[]

  constructor(ring: Ring) {
    this.#control = controlOf(ring)
    this.#slots = slotsOf(ring)
  }

  /**
   * The slot to fill, once the reader has emptied it; blocks the thread until then.
   * @throws {TsbuildError} PEER_GONE when the ring is broken, CANCELLED
   */
  slot(): Buffer {
    for (;;) {
      const emptied = Atomics.load(this.#control, EMPTIED)
      const slot = this.#emptySlot(emptied)
      if (slot !== undefined) return slot
      if (this.#isBroken()) throw brokenRingError('reader')
      checkpoint()
      Atomics.wait(this.#control, EMPTIED, emptied, WAIT_MILLISECONDS)
    }
  }

  /**
   * As `slot`, for a thread that has other things to do meanwhile.
   * @returns `undefined` when the ring is broken
   * @throws {TsbuildError} CANCELLED
   */
  async nextSlot(): Promise<Buffer | undefined> {
    for (;;) {
      const emptied = Atomics.load(this.#control, EMPTIED)
      const slot = this.#emptySlot(emptied)
      if (slot !== undefined) return slot
      if (this.#isBroken()) return undefined
      checkpoint()
      await Atomics.waitAsync(this.#control, EMPTIED, emptied, WAIT_MILLISECONDS).value
    }
  }

  #emptySlot(emptied: number): Buffer | undefined {
    const filled = Atomics.load(this.#control, FILLED)
    return filled - emptied < SLOTS ? slotAt(this.#slots, filled) : undefined
  }

  #isBroken(): boolean {
    return Atomics.load(this.#control, BROKEN) !== 0
  }

  /** Passes the first `length` bytes of the slot on. They stay readable here until `slot` is called. */
  pass(length: number): void {
    const filled = Atomics.load(this.#control, FILLED)
    Atomics.store(this.#control, LENGTHS + (filled % SLOTS), length)
    Atomics.store(this.#control, FILLED, filled + 1)
    Atomics.notify(this.#control, FILLED)
  }

  /** Ends the bytes; called instead of another `pass`. */
  end(): void {
    this.pass(END)
  }
}

/**
 * The reading end of a ring, for one thread: all bytes. A piece is valid until the next one is taken. It
 * blocks the thread while it waits.
 * @throws {TsbuildError} PEER_GONE when the ring is broken before the end, CANCELLED
 */
export function* readRing(ring: Ring): Generator<Uint8Array, void, undefined> {
  const reader = new RingReader(ring)
  for (;;) {
    const piece = reader.piece()
    if (piece === 'end') return
    if (piece === undefined) Atomics.wait(reader.control, FILLED, reader.emptied, WAIT_MILLISECONDS)
    else {
      yield piece
      reader.release()
    }
  }
}

/** As `readRing`, for a thread that has other things to do meanwhile. A piece belongs to its receiver. */
export async function* streamRing(ring: Ring): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = new RingReader(ring)
  for (;;) {
    const piece = reader.piece()
    if (piece === 'end') return
    if (piece === undefined) {
      const { control, emptied } = reader
      await Atomics.waitAsync(control, FILLED, emptied, WAIT_MILLISECONDS).value
    } else {
      const copy = Buffer.from(piece)
      reader.release()
      yield copy
    }
  }
}

class RingReader {
  readonly control: Int32Array<SharedArrayBuffer>
  readonly #slots: readonly Buffer[]
  emptied = 0

  constructor(ring: Ring) {
    this.control = controlOf(ring)
    this.#slots = slotsOf(ring)
  }

  /** The next piece; `undefined` where it has not come yet. */
  piece(): Uint8Array | 'end' | undefined {
    // Before the slots are looked at: when the writer is done, the end is passed before the ring is broken.
    const isBroken = Atomics.load(this.control, BROKEN) !== 0
    if (Atomics.load(this.control, FILLED) > this.emptied) {
      const length = Atomics.load(this.control, LENGTHS + (this.emptied % SLOTS))
      return length === END ? 'end' : slotAt(this.#slots, this.emptied).subarray(0, length)
    }
    if (isBroken) throw brokenRingError('writer')
    checkpoint()
    return undefined
  }

  /** Lets the writer have the slot of the last piece. */
  release(): void {
    this.emptied += 1
    Atomics.store(this.control, EMPTIED, this.emptied)
    Atomics.notify(this.control, EMPTIED)
  }
}

function controlOf(ring: Ring): Int32Array<SharedArrayBuffer> {
  return new Int32Array(ring, 0, DATA_AT / Int32Array.BYTES_PER_ELEMENT)
}

function slotsOf(ring: Ring): readonly Buffer[] {
  return Array.from({ length: SLOTS }, (_, index) =>
    Buffer.from(ring, DATA_AT + index * SLOT_BYTES, SLOT_BYTES),
  )
}

function slotAt(slots: readonly Buffer[], count: number): Buffer {
  const slot = slots[count % SLOTS]
  if (slot === undefined) throw new Error('a ring has slots')
  return slot
}

function brokenRingError(peer: 'reader' | 'writer'): TsbuildError {
  return peerGoneError(`the ${peer} of the tar ended too early`)
}
