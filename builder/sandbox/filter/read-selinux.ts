import { Buffer } from 'node:buffer'
import {
  accessSync,
  closeSync,
  constants,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  writeSync,
} from 'node:fs'
import { isUserNamespace } from '#builder/linux'
import { hasNoNewPrivileges, processStatus } from '#builder/namespaces'
import { errnoOf } from '#core'
import { type SelinuxState, selinuxState } from './selinux.ts'

/**
 * Whether steps get labels of SELinux. In a user namespace they get none, as in docker without root.
 * @param store an existing folder, as for `selinuxState`
 */
export function readSelinux(store: string): SelinuxState {
  if (isUserNamespace()) return { kind: 'none' }
  const files = {
    ...{ read, ask, mayAsk },
    hasNoNewPrivileges: hasNoNewPrivileges(processStatus()),
  }
  // Whatever name it goes by: files of an earlier build have its categories.
  return selinuxState(files, () => realpathSync(store))
}

function read(path: string): string | undefined {
  return ifPossible(() => readFileSync(path, 'utf8'))
}

function mayAsk(path: string): boolean {
  const { R_OK, W_OK } = constants
  return ifPossible(() => accessSync(path, R_OK | W_OK) ?? true) ?? false
}

/** Longer than any answer of the kernel. */
const ANSWER = 4096

/** A file of selinuxfs answers on the descriptor that it was asked on. */
function ask(path: string, question: string): string | undefined {
  return ifPossible(() => {
    const descriptor = openSync(path, constants.O_RDWR)
    try {
      writeSync(descriptor, question)
      const answer = Buffer.alloc(ANSWER)
      return answer.toString('latin1', 0, readSync(descriptor, answer))
    } finally {
      closeSync(descriptor)
    }
  })
}

/** @returns `undefined` when the kernel refuses */
function ifPossible<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause
    return undefined
  }
}
