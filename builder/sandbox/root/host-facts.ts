import { Buffer } from 'node:buffer'
import {
  closeSync,
  constants,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  writeSync,
} from 'node:fs'
import { isUserNamespace } from '#builder/linux'
import { errnoOf } from '#core'
import { profileState, readAppArmorFacts, STEP_PROFILE } from '../filter/apparmor.ts'
import { MASKED_PATHS, READONLY_PATHS } from '../filter/profile.ts'
import { type SelinuxLabels, type SelinuxState, selinuxState } from '../filter/selinux.ts'
import { hostAddress, readHostResolvConf } from './etc-files.ts'

/** What assembling a root must know of the host; the same for all roots. */
export interface HostFacts {
  /** Paths of the kernel that must look empty. */
  readonly masked: readonly string[]
  /** Paths of the kernel that must not be written to. */
  readonly readonly: readonly string[]
  readonly resolvConf: string
  /** The host's address in networks of steps' own. */
  readonly address: string
  /** The profile of AppArmor for steps, where the kernel has it. */
  readonly profile: string | undefined
  /** Labels of SELinux for steps, where the kernel has it. */
  readonly labels: SelinuxLabels | undefined
  /** Whether group 5, which terminals belong to, exists in this user namespace. */
  readonly ttyGroup: boolean
}

/** Looks at the host. @param store as for `selinuxState` */
export function readHostFacts(store: string): HostFacts {
  const selinux = readSelinux(store)
  return {
    masked: [...MASKED_PATHS, ...throttlePaths()].filter((path) => existsSync(path)),
    readonly: READONLY_PATHS.filter((path) => existsSync(path)),
    resolvConf: readHostResolvConf(),
    address: hostAddress(),
    profile: readAppArmor() === 'loaded' ? STEP_PROFILE : undefined,
    labels: selinux.kind === 'labels' ? selinux.labels : undefined,
    ttyGroup: isGroupMapped(5),
  }
}

/** Whether steps get a profile of AppArmor. */
export function readAppArmor(): ReturnType<typeof profileState> {
  return profileState(readAppArmorFacts((path) => readFileSync(path, 'utf8')))
}

/**
 * Whether steps get labels of SELinux. In a user namespace they get none, as in docker without root.
 * @param store as for `selinuxState`
 */
export function readSelinux(store: string): SelinuxState {
  return isUserNamespace() ? { kind: 'none' } : selinuxState({ read: readIfThere, ask }, store)
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause
    return undefined
  }
}

/** Longer than any answer of the kernel. */
const ANSWER = 4096

/** A file of selinuxfs answers on the descriptor that it was asked on. */
function ask(path: string, question: string): string | undefined {
  try {
    const descriptor = openSync(path, constants.O_RDWR)
    try {
      writeSync(descriptor, question)
      const answer = Buffer.alloc(ANSWER)
      return answer.toString('latin1', 0, readSync(descriptor, answer))
    } finally {
      closeSync(descriptor)
    }
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause
    return undefined
  }
}

function isGroupMapped(gid: number): boolean {
  const ranges = readFileSync('/proc/self/gid_map', 'latin1').trim().split('\n')
  return ranges.some((range) => {
    const [first = 0, , count = 0] = range.trim().split(/\s+/).map(Number)
    return gid >= first && gid < first + count
  })
}

/** Counters of the CPUs through which steps could observe each other's load. */
function throttlePaths(): readonly string[] {
  const base = '/sys/devices/system/cpu'
  if (!existsSync(base)) return []
  return readdirSync(base)
    .filter((name) => /^cpu\d+$/.test(name))
    .map((name) => `${base}/${name}/thermal_throttle`)
}
