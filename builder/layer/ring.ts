import { Buffer } from 'node:buffer'
import { checkpoint, TsbuildError } from '#core'

/** What the two ends share; it can be posted to a thread. */
export type Ring = SharedArrayBuffer

const SLOTS = 4
const SLOT_BYTES = 512 * 1024
const DATA_AT = 4096

// Where the control words are: how many slots were filled and emptied so far, and how much is in each.
const FILLED = 0
const EMPTIED = 1
const BROKEN = 2
const LENGTHS = 3

/** In the place of a length: there are no more bytes. */
const END = -1

/** Long enough to cost nothing, short enough for somebody who wants to cancel. */
const PATIENCE_MILLISECONDS = 50

/**
 * Bytes on their way from one thread to another, through memory that both see: a pipe would copy
 * them in and out again. They are filled and emptied a slot at a time, in turn.
 */
export function makeRing(): Ring {
  return new SharedArrayBuffer(DATA_AT + SLOTS * SLOT_BYTES)
}

/** Makes a ring that nobody uses any more as good as new. */
export function resetRing(ring: Ring): void {
  controlOf(ring).fill(0)
}

/** To be called when one of its ends is done, however it was: the other one must not wait for it. */
export function breakRing(ring: Ring): void {
  const control = controlOf(ring)
  Atomics.store(control, BROKEN, 1)
  Atomics.notify(control, FILLED)
  Atomics.notify(control, EMPTIED)
}

/** For one thread. */
export class RingWriter {
  readonly #control: Int32Array
  readonly #slots: readonly Buffer[]

  constructor(ring: Ring) {
    this.#control = controlOf(ring)
    this.#slots = slotsOf(ring)
  }

  /**
   * The slot to fill, once the reader has emptied it.
   * @throws {TsbuildError} CANCELLED when the reader has gone
   */
  slot(): Buffer {
    const control = this.#control
    const filled = Atomics.load(control, FILLED)
    for (;;) {
      const emptied = Atomics.load(control, EMPTIED)
      if (filled - emptied < SLOTS) return slotAt(this.#slots, filled)
      if (Atomics.load(control, BROKEN) !== 0) throw gone('reader')
      checkpoint()
      Atomics.wait(control, EMPTIED, emptied, PATIENCE_MILLISECONDS)
    }
  }

  /** Hands over the first `length` bytes of the slot. They may be read here until `slot` is called. */
  pass(length: number): void {
    const filled = Atomics.load(this.#control, FILLED)
    Atomics.store(this.#control, LENGTHS + (filled % SLOTS), length)
    Atomics.store(this.#control, FILLED, filled + 1)
    Atomics.notify(this.#control, FILLED)
  }

  /** Instead of another `pass`: there are no more bytes. */
  end(): void {
    this.pass(END)
  }
}

/**
 * All bytes, for one thread. What is yielded is valid until the next piece is asked for.
 * @throws {TsbuildError} CANCELLED when the writer has gone before the end
 */
export function* readRing(ring: Ring): Generator<Uint8Array, void, undefined> {
  const control = controlOf(ring)
  const slots = slotsOf(ring)
  for (let emptied = 0; ; ) {
    // Before the slots are looked at: whoever breaks a ring whose writer is done has passed the end.
    const isBroken = Atomics.load(control, BROKEN) !== 0
    if (Atomics.load(control, FILLED) > emptied) {
      const length = Atomics.load(control, LENGTHS + (emptied % SLOTS))
      if (length === END) return
      yield slotAt(slots, emptied).subarray(0, length)
      emptied += 1
      Atomics.store(control, EMPTIED, emptied)
      Atomics.notify(control, EMPTIED)
    } else {
      if (isBroken) throw gone('writer')
      checkpoint()
      Atomics.wait(control, FILLED, emptied, PATIENCE_MILLISECONDS)
    }
  }
}

function controlOf(ring: Ring): Int32Array {
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

function gone(who: string): TsbuildError {
  return new TsbuildError(`the ${who} of the tar has gone`, { code: 'CANCELLED' })
}
