import { lstatSync, renameSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout } from 'node:timers/promises'
import { TsbuildError } from '#core'
import { databaseFailure, SQLITE, sqliteCodeOf } from './failure.ts'

/*
 * A lock that the kernel drops when its process ends, however it ends. Node has no flock(2); SQLite
 * locks the databases that it opens with fcntl(2), keeps apart the connections of one process, and
 * leaves an empty database empty. 80 µs to take. Nothing else may open such a file: closing any
 * descriptor of it would drop the lock.
 */

/** Held from its creation to its disposal. */
export interface FileLock extends Disposable {
  readonly path: string
}

const POLL_MILLISECONDS = { first: 1, last: 25 }
const PATIENCE_MILLISECONDS = 60_000

/** Takes the lock on `path`, making the file; `undefined` when it is held. */
export function tryLock(path: string): FileLock | undefined {
  return take(path, 0)
}

/** Takes the lock on `path` as one of several; `undefined` when it is held exclusively. */
export function trySharedLock(path: string): FileLock | undefined {
  return take(path, 0, SHARED)
}

/** Takes the lock on `path`; blocks the thread. For what happens once in the life of a store. */
export function lockSync(path: string): FileLock {
  return take(path, PATIENCE_MILLISECONDS) ?? timedOut(path)
}

/** Takes the lock on `path`, waiting for its holder. @throws {TsbuildError} IO_FAILED after a minute */
export async function lock(path: string): Promise<FileLock> {
  const deadline = performance.now() + PATIENCE_MILLISECONDS
  for (let pause = POLL_MILLISECONDS.first; ; pause = Math.min(pause * 2, POLL_MILLISECONDS.last)) {
    const taken = tryLock(path)
    if (taken !== undefined) return taken
    if (performance.now() > deadline) timedOut(path)
    await setTimeout(pause * (0.5 + Math.random()))
  }
}

function timedOut(path: string): never {
  throw new TsbuildError(`lock ${path}: still held by another process`, {
    code: 'IO_FAILED',
    hint: 'find the tsbuild process that hangs and end it',
  })
}

const ALONE = 'BEGIN EXCLUSIVE'
// Reading is what takes the lock.
const SHARED = 'BEGIN; SELECT count(*) FROM sqlite_schema'

function take(path: string, timeout: number, begin = ALONE): FileLock | undefined {
  try {
    return open(path, timeout, begin)
  } catch (cause) {
    const code = sqliteCodeOf(cause)
    const damaged = code === SQLITE.notadb || code === SQLITE.corrupt || !isPlainFile(path)
    if (!damaged) throw databaseFailure(`lock ${path}`, cause, dirname(path))
    renameSync(path, join(dirname(path), `.${basename(path)}-${process.pid}-${Date.now()}`))
    return open(path, timeout, begin)
  }
}

function open(path: string, timeout: number, begin: string): FileLock | undefined {
  // A FIFO in its place would block for ever.
  if (!isPlainFile(path)) throw new Error(`${path} is not a file`)
  const database = new DatabaseSync(path)
  try {
    database.exec(`PRAGMA busy_timeout = ${timeout}`)
    // In memory: there must be no journal beside the file.
    database.exec(`PRAGMA journal_mode = MEMORY; ${begin}`)
  } catch (cause) {
    database.close()
    if (sqliteCodeOf(cause) === SQLITE.busy) return undefined
    throw cause
  }
  return { path, [Symbol.dispose]: () => database.close() }
}

function isPlainFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() ?? true
}
