import { chmodSync, lstatSync } from 'node:fs'
import { type FileLock, lockSync, trySharedLock } from './file-lock.ts'
import type { Layout } from './layout.ts'

/*
 * A sweep removes what no process relies on. It reads what processes rely on first, and nobody may begin to
 * rely on anything between the two. Whoever wants to looks at one bit of a file's mode, which is one lstat(2),
 * and waits for the lock on the file only where the bit is set. See docs/adr/0049
 */
const LOWERED = 0o600
const RAISED = 0o700
const BIT = 0o100

/**
 * The gate of one sweep: while it is raised, nobody begins to rely on anything. It blocks every process that wants
 * to, so it is raised for a short time; and nothing is awaited meanwhile, because this process may want to as well.
 * Who waits may be in a transaction of the database: it is raised in one, so that no two wait for each other.
 */
export class SweepGate implements Disposable {
  readonly #path: string

  /**
   * @param lock on `sweepLock` of the store: taken by one that waits, since who cannot write down what it relies on
   * holds it as long as it lives
   */
  constructor({ path }: FileLock) {
    this.#path = path
  }

  raise(): void {
    chmodSync(this.#path, RAISED)
  }

  [Symbol.dispose](): void {
    chmodSync(this.#path, LOWERED)
  }
}

/** Returns when no sweep is under way: at once, unless there is one. */
export function waitForSweep({ sweepLock }: Pick<Layout, 'sweepLock'>): void {
  while (isRaised(sweepLock)) {
    using _ = lockSync(sweepLock)
    // Whoever raised it has ended without lowering it.
    if (isRaised(sweepLock)) chmodSync(sweepLock, LOWERED)
  }
}

/** How often, and after how many milliseconds, the lock of a sweep that is about to begin is tried again. */
const ATTEMPTS = { most: 100, pause: 10 } as const

/**
 * Keeps every sweep from beginning until it is disposed of; `undefined` where that cannot be done: nothing was
 * swept here yet, or a sweep does not come to an end.
 */
export function keepSweepsAway({ sweepLock }: Pick<Layout, 'sweepLock'>): FileLock | undefined {
  const pause = new Int32Array(new SharedArrayBuffer(4))
  for (let attempt = 0; attempt < ATTEMPTS.most; attempt++) {
    if (lstatSync(sweepLock, { throwIfNoEntry: false }) === undefined) return undefined
    const lock = trySharedLock(sweepLock)
    if (lock !== undefined) return lock
    Atomics.wait(pause, 0, 0, ATTEMPTS.pause)
  }
  return undefined
}

function isRaised(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false })
  return found !== undefined && (found.mode & BIT) !== 0
}
