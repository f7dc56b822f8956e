import { chmodSync, lstatSync } from 'node:fs'
import { TsbuildError } from '#core'

/** Milliseconds. Some file systems count whole seconds. */
const LONGEST_TICK = 2500

/**
 * Waits until what is changed from now on has another time than `newest` (milliseconds). The clock of
 * file times goes on in ticks of up to 10 ms, or by itself where the kernel counts finer once a time
 * was looked at (Linux 6.13). Changes the time of the directory's inode, and nothing else.
 * @throws {TsbuildError} IO_FAILED when that clock stands still
 */
export function awaitTick(directory: string, newest: number): void {
  const word = new Int32Array(new SharedArrayBuffer(4))
  const inside = `${directory}/.`
  const end = performance.now() + LONGEST_TICK
  while (performance.now() < end) {
    chmodSync(inside, lstatSync(inside).mode & 0o7777)
    const now = lstatSync(inside).ctimeMs
    // The clock was set back: those times come again in a while, and to meet one takes a coincidence.
    if (now > newest || now < newest - LONGEST_TICK) return
    Atomics.wait(word, 0, 0, 1)
  }
  throw new TsbuildError('wait for the clock of the file system: it stands still', {
    code: 'IO_FAILED',
    hint: 'use a directory on another file system',
  })
}
