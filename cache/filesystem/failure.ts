import { accessSync, constants, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf, ioError, TsbuildError, typedFailure } from '#core'

const ELSEWHERE = 'name a folder that you may write with --root or TSBUILD_ROOT'

/** Wraps a failed system call on the store: what was being done, a code and a way out. */
export function storeError(doing: string, cause: unknown): TsbuildError {
  if (cause instanceof TsbuildError) return cause
  switch (errnoOf(cause)) {
    case 'EROFS':
      return permissionDeniedError(`${doing}: read-only file system`, cause)
    case 'EACCES':
    case 'EPERM':
      return permissionDeniedError(`${doing}: permission denied`, cause)
    case 'ENOTDIR':
    case 'EEXIST':
    case 'ELOOP':
      return invalidStoreError(`${doing}: not a folder`, cause)
    default:
      return ioError(doing, cause)
  }
}

/** True for the failure of a full disk. */
export function isNoSpace(cause: unknown): boolean {
  return cause instanceof TsbuildError && cause.code === 'NO_SPACE'
}

/** The root is something that must not be used as a store. */
export function invalidStoreError(message: string, cause?: unknown): TsbuildError {
  return new TsbuildError(message, { code: 'STORE_INVALID', cause, hint: ELSEWHERE })
}

function permissionDeniedError(message: string, cause: unknown): TsbuildError {
  return new TsbuildError(message, { code: 'PERMISSION_DENIED', cause, hint: ELSEWHERE })
}

/** SQLite's result codes, as far as decisions depend on them. Spec: https://sqlite.org/rescode.html */
export const SQLITE = {
  error: 1,
  perm: 3,
  busy: 5,
  readonly: 8,
  ioerr: 10,
  corrupt: 11,
  full: 13,
  cantopen: 14,
  notadb: 26,
} as const

/** The primary result code of an error of `node:sqlite`, or `undefined` for any other. */
export function sqliteCodeOf(cause: unknown): number | undefined {
  const code = extendedCodeOf(cause)
  return code === undefined ? undefined : code & 0xff
}

function extendedCodeOf(cause: unknown): number | undefined {
  if (!(cause instanceof Error) || !('errcode' in cause)) return undefined
  return typeof cause.errcode === 'number' ? cause.errcode : undefined
}

/** Extended codes of reads that hit the end of a file, or nonsense below. */
const BROKEN_READS = new Set([522, 8458])
const DAMAGE = new Set<number>([SQLITE.corrupt, SQLITE.notadb, SQLITE.error])

/** True for an error that says: `file` is not a database, or no longer one, or not ours. */
export function isDamage(cause: unknown, file: string): boolean {
  const code = extendedCodeOf(cause)
  if (code === undefined) return false
  if (DAMAGE.has(code & 0xff) || BROKEN_READS.has(code)) return true
  // One byte of the header makes a database read-only.
  return (code & 0xff) === SQLITE.readonly && isWritable(file)
}

function isWritable(file: string): boolean {
  try {
    accessSync(file, constants.W_OK)
    return true
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause
    return false
  }
}

/** What an index page can not be written without; less than this is a full disk. */
const LEAST_FREE_BYTES = 64 * 1024

/** Wraps an error of SQLite on `file`; any other error passes. SQLite hides the errno: ask the disk. */
export function databaseFailure(doing: string, cause: unknown, folder: string): unknown {
  const code = sqliteCodeOf(cause)
  if (code === undefined) return typedFailure(doing, cause)
  const fullness = fullnessOf(code, folder)
  if (fullness !== undefined) {
    return ioError(doing, Object.assign(new Error('disk full', { cause }), { code: fullness }))
  }
  if (code === SQLITE.readonly || code === SQLITE.perm) {
    return permissionDeniedError(`${doing}: the store cannot be written`, cause)
  }
  const reason = cause instanceof Error ? cause.message : String(cause)
  const hint = code === SQLITE.busy ? 'another tsbuild keeps the store busy; try again' : undefined
  return new TsbuildError(`${doing}: ${reason}`, { code: 'IO_FAILED', cause, hint })
}

/** `ENOSPC` or `EDQUOT` where that is the reason. */
function fullnessOf(code: number, folder: string): string | undefined {
  if (code === SQLITE.full) return 'ENOSPC'
  if (code !== SQLITE.ioerr && code !== SQLITE.cantopen) return undefined
  const { bavail, bsize, ffree, files } = statfsSync(folder)
  if (bavail * bsize < LEAST_FREE_BYTES || (files > 0 && ffree === 0)) return 'ENOSPC'
  // Of a quota the file system says nothing until something is written.
  const errno = failureOfWriting(join(folder, `tsbuild.db-probe-${process.pid}`))
  return errno === 'ENOSPC' || errno === 'EDQUOT' ? errno : undefined
}

function failureOfWriting(path: string): string | undefined {
  try {
    writeFileSync(path, Buffer.alloc(LEAST_FREE_BYTES, 1), { flag: 'wx', flush: true })
    return undefined
  } catch (cause) {
    return errnoOf(cause)
  } finally {
    rmSync(path, { force: true })
  }
}
