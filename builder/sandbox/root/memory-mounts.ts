/** Files and sockets of a step that are in memory only. */
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  openSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { bindSocket, MS, O_PATH } from '#builder/linux'
import { errnoOf, type FileMount, ioError, MORE_IDS, type SocketMount, TsbuildError } from '#core'
import { type BindOptions, bindInto } from './mount-points.ts'
import { descriptorPath } from './root-entry.ts'

/** Where they lie, and how they are mounted. */
export interface MemoryMountOptions extends Pick<BindOptions, 'staging' | 'onCreate'> {
  /** On a tmpfs outside of the root. */
  readonly directory: string
  /** Unused in it. */
  readonly name: string
  /** What sockets are labelled with; absent: nothing. */
  readonly socketLabel: string | undefined
}

/** Attributes of mounts of steps. */
export const SAFE: number = MS.NOSUID | MS.NODEV

/** Shows a file that is in memory only. */
export function mountFile(root: number, step: FileMount, options: MemoryMountOptions): undefined {
  const { directory, name, staging, onCreate } = options
  const source = `${directory}/${name}`
  const descriptor = openSync(
    source,
    constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL,
    0o600,
  )
  try {
    for (let offset = 0; offset < step.content.length; ) {
      offset += writeSync(descriptor, step.content, offset)
    }
    fchownSync(descriptor, step.uid, step.gid)
    fchmodSync(descriptor, step.mode)
  } catch (cause) {
    throw ownerError(step, cause)
  } finally {
    closeSync(descriptor)
  }
  const noExec = (step.mode & 0o111) === 0 ? MS.NOEXEC : 0
  const flags = SAFE | MS.RDONLY | noExec
  bindInto(root, step.target, { source, kind: 'file', flags, staging, onCreate })
}

/** Shows a socket. @returns its descriptor, which the caller closes */
export function mountSocket(root: number, step: SocketMount, options: MemoryMountOptions): number {
  const { name, staging, onCreate } = options
  const directory = openSync(options.directory, O_PATH | constants.O_DIRECTORY)
  const source = `${descriptorPath(directory)}/${name}`
  try {
    const socket = bindLabelled(source, options.socketLabel)
    try {
      chownSync(source, step.uid, step.gid)
      chmodSync(source, step.mode)
      const flags = SAFE | MS.NOEXEC | MS.RDONLY
      bindInto(root, step.target, { source, kind: 'file', flags, staging, onCreate })
      return socket
    } catch (cause) {
      closeSync(socket)
      throw ownerError(step, cause)
    }
  } finally {
    closeSync(directory)
  }
}

/** A process connects to a socket of its own label, whoever listens. */
function bindLabelled(path: string, label: string | undefined): number {
  if (label === undefined) return bindSocket(path)
  writeFileSync(SOCKET_LABEL, label)
  try {
    return bindSocket(path)
  } finally {
    writeFileSync(SOCKET_LABEL, '\n')
  }
}

/** The label of sockets that the calling thread makes. Spec: proc_pid_attr(5) */
const SOCKET_LABEL = '/proc/thread-self/attr/sockcreate'

function ownerError({ target, uid, gid }: FileMount | SocketMount, cause: unknown): Error {
  if (errnoOf(cause) !== 'EINVAL') return ioError(`mount ${target}`, cause)
  return new TsbuildError(
    `mount ${target} for ${uid}:${gid}: this user namespace lacks these ids`,
    {
      code: 'STEP_FAILED',
      hint: MORE_IDS,
      cause,
    },
  )
}
