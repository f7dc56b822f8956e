import { once } from 'node:events'
import { closeSync, fsync, fsyncSync, openSync } from 'node:fs'
import { promisify } from 'node:util'
import { errnoOf, TsbuildError } from '#core'
import { storeError } from './failure.ts'

/**
 * Writes everything of the file system of `path` to the disk: syncfs(2), which Node lacks, through
 * sync(1). False where there is no such program: then nothing may be taken for durable.
 * @throws {TsbuildError} IO_FAILED when the disk did not take it
 */
export async function syncFileSystem(path: string): Promise<boolean> {
  // Loaded when needed: a build that finds everything in the cache does without.
  const { spawn } = await import('node:child_process')
  try {
    const [code] = await once(spawn('sync', ['-f', path], { stdio: 'ignore' }), 'close')
    if (code === 0) return true
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause
    return false
  }
  throw new TsbuildError(`write ${path} to the disk: sync failed`, {
    code: 'IO_FAILED',
    hint: 'look for errors of the disk in the log of the kernel (dmesg)',
  })
}

const syncDescriptor = promisify(fsync)

/**
 * Writes one file or folder to the disk. The disk is at work when this returns: a thread that is busy
 * for a while does not hold it up.
 * @throws {TsbuildError} IO_FAILED, NO_SPACE
 */
export async function syncPath(path: string): Promise<void> {
  try {
    const fd = openSync(path, 'r')
    try {
      await syncDescriptor(fd)
    } finally {
      closeSync(fd)
    }
  } catch (cause) {
    throw storeError(`write ${path} to the disk`, cause)
  }
}

/** Like `syncPath`, blocking: for what is small and done under a lock. */
export function syncFolder(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
