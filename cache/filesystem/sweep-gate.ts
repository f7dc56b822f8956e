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
 * Runs `work` while nobody begins to rely on anything. It blocks this thread and every process that wants to,
 * so it is short; and it is synchronous, because this process may want to as well.
 * @throws {TsbuildError} IO_FAILED while a process relies on things that it cannot write down
 */
export function sweepAlone<T>({ sweepLock }: Pick<Layout, 'sweepLock'>, work: () => T): T {
  using _ = lockSync(sweepLock)
  chmodSync(sweepLock, RAISED)
  try {
    return work()
  } finally {
    chmodSync(sweepLock, LOWERED)
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

/** Keeps every sweep from beginning; `undefined` where there is nothing to lock: nothing was swept here yet. */
export function keepSweepsAway({ sweepLock }: Pick<Layout, 'sweepLock'>): FileLock | undefined {
  while (lstatSync(sweepLock, { throwIfNoEntry: false }) !== undefined) {
    const lock = trySharedLock(sweepLock)
    if (lock !== undefined) return lock
    waitForSweep({ sweepLock })
  }
  return undefined
}

function isRaised(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false })
  return found !== undefined && (found.mode & BIT) !== 0
}
