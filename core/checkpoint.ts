import { TsbuildError } from './errors.ts'

/** Tells the work of one thread to stop, from another thread. */
export type StopFlag = Int32Array<SharedArrayBuffer>

let heeded: StopFlag | undefined

export function makeStopFlag(): StopFlag {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
}

export function setStopFlag(flag: StopFlag, stop: boolean): void {
  Atomics.store(flag, 0, stop ? 1 : 0)
}

/** From now on `checkpoint` in this thread heeds `flag`. */
export function heedStopFlag(flag: StopFlag): void {
  heeded = flag
}

/**
 * Called by long synchronous work between its pieces: a message could not reach it, and a thread
 * that is ended from outside within a system call takes the whole process with it.
 * @throws {TsbuildError} CANCELLED when the work is not wanted any more
 */
export function checkpoint(): void {
  if (heeded === undefined || Atomics.load(heeded, 0) === 0) return
  throw new TsbuildError('work on files: cancelled', { code: 'CANCELLED' })
}
