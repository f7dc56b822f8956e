import { readFileSync } from 'node:fs'
import { getXattr, type RootedDirectory } from '#builder/linux'
import type { Name } from '#core'

const SETGID = 0o2000
const DEFAULT_ACL = 'system.posix_acl_default'

/** The owner and mode bits of a newly created file. */
export interface CreationDefaults {
  readonly uid: number
  readonly gid: number
  /** Mode bits that the umask lets through. */
  readonly modes: number
}

/** Those of an empty directory; `undefined` where files inherit its group or access list. */
export function creationDefaultsOf(root: RootedDirectory): CreationDefaults | undefined {
  const uid = process.geteuid?.()
  const gid = process.getegid?.()
  const stats = root.lstat('' as Name)
  if (uid === undefined || gid === undefined || stats === undefined) return undefined
  if (stats.gid !== gid || (stats.mode & SETGID) !== 0) return undefined
  if (getXattr(root.place('' as Name), DEFAULT_ACL) !== undefined) return undefined
  const umask = currentUmask()
  return umask === undefined ? undefined : { uid, gid, modes: 0o777 & ~umask }
}

/** Node reads the umask by changing that of the whole process. Spec: proc(5), since Linux 4.7 */
function currentUmask(): number | undefined {
  const status = readFileSync('/proc/thread-self/status', 'latin1')
  const octal = /^Umask:\s*([0-7]+)$/m.exec(status)?.[1]
  return octal === undefined ? undefined : Number.parseInt(octal, 8)
}
