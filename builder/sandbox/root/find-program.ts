import { accessSync, closeSync, constants } from 'node:fs'
import { errnoOf, TsbuildError } from '#core'
import type { AssembledRoot } from './assemble.ts'
import {
  descriptorPath,
  findEntry,
  findEntryIfThere,
  type RootEntry,
  systemReason,
} from './root-entry.ts'

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Where a program is looked up. */
type ProgramRoot = Pick<AssembledRoot, 'root' | 'cwdPath' | 'env'>

/**
 * Looks a program up as execvp(3) does, with the step's own PATH and rights, inside its root. The way
 * there leads through no magic link of /proc.
 */
export function findProgram(name: string, root: ProgramRoot): string {
  if (name.includes('/')) {
    const failure = failureAt(root, name, findEntry)
    if (failure === undefined) return name
    throw lookupError(name, failure)
  }
  const path = root.env.findLast((entry) => entry.startsWith('PATH='))?.slice('PATH='.length)
  for (const directory of (path ?? DEFAULT_PATH).split(':')) {
    const candidate = `${directory || '.'}/${name}`
    if (failureAt(root, candidate, findEntryIfThere) === undefined) return candidate
  }
  throw new TsbuildError(`exec: ${JSON.stringify(name)}: executable file not found in $PATH`, {
    code: 'STEP_FAILED',
    hint: 'check the name, and that the base image has the program and a matching PATH',
  })
}

/** @returns why the file cannot be executed, if it cannot */
function failureAt(
  root: ProgramRoot,
  path: string,
  find: (root: number, path: string) => RootEntry | undefined,
): unknown {
  const absolute = path.startsWith('/') ? path : `${root.cwdPath}/${path}`
  try {
    const found = find(root.root, absolute)
    if (found === undefined) return NOTHING_THERE
    try {
      if (found.stat.isDirectory()) return Object.assign(new Error('a folder'), { code: 'EISDIR' })
      if (!found.stat.isFile()) return Object.assign(new Error('no file'), { code: 'EACCES' })
      accessSync(descriptorPath(found.descriptor), constants.X_OK)
      return undefined
    } finally {
      closeSync(found.descriptor)
    }
  } catch (cause) {
    return cause instanceof TsbuildError ? cause.cause : cause
  }
}

const NOTHING_THERE: unknown = 'there is nothing'

/** The failure to start a program, in the words of container engines. */
export function notExecutableError(name: string, cause: unknown): TsbuildError {
  return execError(`exec ${name}: ${systemReason(cause)}`, cause)
}

/** The failure to find one, in the words of runc. */
function lookupError(name: string, cause: unknown): TsbuildError {
  const errno = errnoOf(cause) ?? ''
  const reason = systemReason(cause)
  const found = ['EACCES', 'EISDIR'].includes(errno) ? reason : `stat ${name}: ${reason}`
  return execError(`exec: ${JSON.stringify(name)}: ${found}`, cause)
}

function execError(message: string, cause: unknown): TsbuildError {
  return new TsbuildError(message, {
    code: 'STEP_FAILED',
    hint: 'check that the image has the program and its interpreter, for this platform, executable',
    cause,
  })
}
