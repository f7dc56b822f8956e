import { accessSync, closeSync, constants } from 'node:fs'
import { errnoOf, TsbuildError } from '#core'
import type { AssembledRoot } from './assemble.ts'
import { descriptorPath, findEntry } from './root-entry.ts'

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Where a program is looked up. */
type ProgramRoot = Pick<AssembledRoot, 'root' | 'cwdPath' | 'env'>

/**
 * Looks a program up as execvp(3) does, with the step's own PATH and rights, inside its root. The way
 * there leads through no magic link of /proc.
 */
export function findProgram(name: string, root: ProgramRoot): string {
  if (name.includes('/')) {
    const failure = executableAt(root, name)
    if (failure === undefined) return name
    throw notExecutableError(name, failure)
  }
  const path = root.env.findLast((entry) => entry.startsWith('PATH='))?.slice('PATH='.length)
  for (const directory of (path ?? DEFAULT_PATH).split(':')) {
    const candidate = `${directory || '.'}/${name}`
    if (executableAt(root, candidate) === undefined) return candidate
  }
  throw new TsbuildError(`exec: ${JSON.stringify(name)}: executable file not found in $PATH`, {
    code: 'STEP_FAILED',
    hint: 'check the name, and that the base image has the program and a matching PATH',
  })
}

/** @returns why the file cannot be executed, if it cannot */
function executableAt(root: ProgramRoot, path: string): unknown {
  const absolute = path.startsWith('/') ? path : `${root.cwdPath}/${path}`
  try {
    const found = findEntry(root.root, absolute)
    try {
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

/** The failure to start a program, in the words of container engines. */
export function notExecutableError(name: string, cause: unknown): TsbuildError {
  const errno = errnoOf(cause)
  const reason = errno === undefined ? undefined : EXEC_ERRORS[errno]
  const text = cause instanceof Error ? cause.message : String(cause)
  return new TsbuildError(`exec ${name}: ${reason ?? text}`, {
    code: 'STEP_FAILED',
    hint: 'check that the image has the program and its interpreter, for this platform, executable',
    cause,
  })
}

const EXEC_ERRORS: Readonly<Record<string, string>> = {
  E2BIG: 'argument list too long',
  EACCES: 'permission denied',
  ELOOP: 'it leads through a link of /proc, or through too many links',
  ENOENT: 'no such file or directory',
  ENOEXEC: 'exec format error',
  ENOTDIR: 'not a directory',
}
