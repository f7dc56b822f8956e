import { once } from 'node:events'
import { closeSync, fsync, fsyncSync, openSync } from 'node:fs'
import { promisify } from 'node:util'
import { errnoOf, TsbuildError } from '#core'
import { storeError } from './failure.ts'

/** What a program says of a full disk, and the name of that error. */
const FULLNESS = [
  ['No space left on device', 'ENOSPC'],
  ['Disk quota exceeded', 'EDQUOT'],
] as const

/**
 * Writes everything of the file system of `path` to the disk: syncfs(2), which Node lacks, through
 * sync(1). False where there is no such program: then nothing may be taken for durable.
 * @throws {TsbuildError} NO_SPACE, IO_FAILED when the disk did not take it
 */
export async function syncFileSystem(path: string): Promise<boolean> {
  // Loaded when needed: a build that finds everything in the cache does without.
  const { spawn } = await import('node:child_process')
  let said = ''
  try {
    const env = { ...process.env, LC_ALL: 'C' }
    const child = spawn('sync', ['-f', path], { stdio: ['ignore', 'ignore', 'pipe'], env })
    child.stderr.on('data', (text: Buffer) => {
      said += text
    })
    const [code] = await once(child, 'close')
    if (code === 0) return true
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause
    return false
  }
  const fullness = FULLNESS.find(([text]) => said.includes(text))
  if (fullness !== undefined) {
    throw storeError(
      `write ${path} to the disk`,
      Object.assign(new Error(said), { code: fullness[1] }),
    )
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
