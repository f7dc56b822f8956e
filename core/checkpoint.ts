import { TsbuildError } from './errors.ts'

/** A shared word by which one thread asks the work of another to stop. */
export type StopFlag = Int32Array<SharedArrayBuffer>

let watched: StopFlag | undefined

/** A flag that is not set. */
export function makeStopFlag(): StopFlag {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
}

/** Sets a flag, for all threads that have it. */
export function setStopFlag(flag: StopFlag): void {
  Atomics.store(flag, 0, 1)
}

/** Whether any thread has set a flag. */
export function isStopSet(flag: StopFlag): boolean {
  return Atomics.load(flag, 0) !== 0
}

/** Makes `checkpoint` in the calling thread look at `flag`. */
export function watchStopFlag(flag: StopFlag): void {
  watched = flag
}

/**
 * Called by long synchronous work between its pieces: a message cannot reach it, and a thread that is
 * terminated within a system call takes the whole process with it.
 * @throws {TsbuildError} CANCELLED when the flag of this thread is set
 */
export function checkpoint(): void {
  if (watched === undefined || !isStopSet(watched)) return
  throw new TsbuildError('work on files: cancelled', { code: 'CANCELLED' })
}
