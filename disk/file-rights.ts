import { readFileSync } from 'node:fs'
import { hasSingleId, isUserNamespace } from './user-namespace.ts'

/** Capabilities that files are made with, by the kernel's numbers. Spec: capabilities(7) */
const CAP = { CHOWN: 0, DAC_OVERRIDE: 1, FOWNER: 3, FSETID: 4 } as const
/** With these, and the ones above, a directory can hold all that a layer has. */
const CAP_OF_ROOT = { SYS_ADMIN: 21, MKNOD: 27, SETFCAP: 31 } as const

/** What this process may do to files on a disk, beyond what every user may do to their own. */
export interface FileRights {
  /** Gives files any owner, and reads and changes them afterwards. */
  readonly givesOwners: boolean
  /** Reads and writes files whose mode permits nothing. */
  readonly overridesModes: boolean
  /**
   * Where overlayfs keeps its marks: in attributes `trusted.` or `user.`. To a process that lacks the
   * rights, the first are invisible.
   */
  readonly marks: 'trusted' | 'user'
}

let known: FileRights | undefined

/** The rights of this process; they stay the same while it runs. */
export function fileRights(): FileRights {
  known ??= findRights()
  return known
}

function findRights(): FileRights {
  const overridesModes = hasCapability(CAP.DAC_OVERRIDE)
  const givesOwners = Object.values(CAP).every(hasCapability) && !hasSingleId()
  const isTrusted =
    givesOwners && !isUserNamespace() && Object.values(CAP_OF_ROOT).every(hasCapability)
  return { givesOwners, overridesModes, marks: isTrusted ? 'trusted' : 'user' }
}

let held: bigint | undefined

/** Whether this process has a capability, by the kernel's number. Spec: capabilities(7) */
export function hasCapability(number: number): boolean {
  held ??= heldCapabilities()
  return ((held >> BigInt(number)) & 1n) === 1n
}

/** Those of the main thread: another one may act as the user of a step for a moment. */
function heldCapabilities(): bigint {
  const status = readFileSync('/proc/self/status', 'latin1')
  return BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`)
}
