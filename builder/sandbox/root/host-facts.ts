import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { readHostResolvConf } from '#builder/network'
import { profileState, readAppArmorFacts, STEP_PROFILE } from '../filter/apparmor.ts'
import { MASKED_PATHS, READONLY_PATHS } from '../filter/profile.ts'
import { readSelinux } from '../filter/read-selinux.ts'
import type { SelinuxLabels } from '../filter/selinux.ts'
import { hostAddress } from './etc-files.ts'

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
  /** Whether processes can be given another profile of AppArmor. */
  readonly takesProfiles: boolean
  /** Labels of SELinux for steps, where the kernel has it. */
  readonly labels: SelinuxLabels | undefined
  /** Whether group 5, which terminals belong to, exists in this user namespace. */
  readonly ttyGroup: boolean
}

/** Looks at the host. @param store as for `selinuxState` */
export function readHostFacts(store: string): HostFacts {
  const selinux = readSelinux(store)
  const appArmor = readAppArmor()
  return {
    masked: [...MASKED_PATHS, ...throttlePaths()].filter((path) => existsSync(path)),
    readonly: READONLY_PATHS.filter((path) => existsSync(path)),
    resolvConf: readHostResolvConf(),
    address: hostAddress(),
    profile: appArmor === 'loaded' ? STEP_PROFILE : undefined,
    takesProfiles: appArmor !== 'none',
    labels: selinux.kind === 'labels' ? selinux.labels : undefined,
    ttyGroup: isGroupMapped(5),
  }
}

/** Whether steps get a profile of AppArmor. */
export function readAppArmor(): ReturnType<typeof profileState> {
  return profileState(readAppArmorFacts((path) => readFileSync(path, 'utf8')))
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
