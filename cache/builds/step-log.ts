import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { errnoOf, TsbuildError } from '#core'
import { segmentPath } from './log-segments.ts'

/** How much of a step's output is kept: the first bytes, and between one and two pieces of the last ones. */
export interface LogBounds {
  readonly head: number
  readonly piece: number
}

/** At most 16 MiB a step. */
const LOG_BOUNDS: LogBounds = { head: 8 << 20, piece: 4 << 20 }

/**
 * What a step prints, on the disk while it runs, so that a build that is killed leaves it. It is written to the
 * kernel at once and never synced. Best effort: a full disk ends the log and not the step.
 */
export class StepLog implements Disposable {
  readonly #place: () => string
  readonly #bounds: LogBounds
  /** Offsets of the segments of the tail that are there. */
  readonly #tail: number[] = []
  #path: string | undefined
  #file: number | undefined
  #offset = 0
  /** Where the present segment ends. */
  #end: number
  #isBroken = false

  /** @param place makes the folder, before the first byte, and says how paths of segments begin in it */
  constructor(place: () => string, bounds: LogBounds = LOG_BOUNDS) {
    this.#place = place
    this.#bounds = bounds
    this.#end = bounds.head
  }

  /** Adds output. */
  write(data: Uint8Array): void {
    if (this.#isBroken) return
    try {
      for (let rest = data; rest.length > 0; ) rest = rest.subarray(this.#writeSome(rest))
    } catch (cause) {
      if (errnoOf(cause) === undefined && !(cause instanceof TsbuildError)) throw cause
      this.#isBroken = true
    }
  }

  [Symbol.dispose](): void {
    this.#isBroken = true
    if (this.#file !== undefined) closeSync(this.#file)
    this.#file = undefined
  }

  #writeSome(data: Uint8Array): number {
    this.#path ??= this.#place()
    if (this.#offset === this.#end) this.#beginSegment(this.#path)
    // A step that is run again on other snapshots goes on with the log of its first run.
    this.#file ??= openSync(segmentPath(this.#path, this.#offset), 'a', 0o600)
    const written = writeSync(this.#file, data, 0, Math.min(data.length, this.#end - this.#offset))
    this.#offset += written
    return written
  }

  /** The last segment but one goes: what is left are the whole one before and the new one. */
  #beginSegment(path: string): void {
    if (this.#file !== undefined) closeSync(this.#file)
    this.#file = undefined
    this.#tail.push(this.#offset)
    this.#end = this.#offset + this.#bounds.piece
    const oldest = this.#tail.length > 2 ? this.#tail.shift() : undefined
    if (oldest !== undefined) rmSync(segmentPath(path, oldest), { force: true })
  }
}
