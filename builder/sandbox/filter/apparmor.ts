import { isUserNamespace, type ProgramCall } from '#builder/linux'
import { errnoOf } from '#core'

/** The profile that docker gives to its containers and, where it is installed, loads into the kernel. */
export const STEP_PROFILE = 'docker-default'

/** What the kernel says of AppArmor. */
export interface AppArmorFacts {
  /** Text of /sys/module/apparmor/parameters/enabled; absent: this kernel has no AppArmor. */
  readonly enabled: string | undefined
  /** Text of /sys/kernel/security/apparmor/profiles; absent: this process may not read it. */
  readonly profiles: string | undefined
  /** In a user namespace no process of the host's is confined anew, as in docker without root. */
  readonly isNested: boolean
}

/** Whether steps get the profile: `none` where there is no AppArmor for them, `missing` where it is not loaded. */
export function profileState({
  enabled,
  profiles,
  isNested,
}: AppArmorFacts): 'loaded' | 'missing' | 'none' {
  if (isNested || enabled?.trim() !== 'Y') return 'none'
  const names = (profiles ?? '').split('\n').map((line) => line.replace(/ \(\w+\)$/, ''))
  return names.includes(STEP_PROFILE) ? 'loaded' : 'missing'
}

/** Asks the kernel. */
export function readAppArmorFacts(read: (path: string) => string): AppArmorFacts {
  const textOf = (path: string): string | undefined => {
    try {
      return read(path)
    } catch (cause) {
      if (errnoOf(cause) === undefined) throw cause
      return undefined
    }
  }
  const enabled = textOf('/sys/module/apparmor/parameters/enabled')
  if (enabled === undefined) return { enabled, profiles: undefined, isNested: false }
  const profiles = textOf('/sys/kernel/security/apparmor/profiles')
  return { enabled, profiles, isNested: isUserNamespace() }
}

const AT_FDCWD = -100
const O_WRONLY = 1

/**
 * The calls by which a process is confined from the next program on. They are made in the step's root, whose /proc
 * is its own, and need the lowest number that is free.
 * @param free that number
 */
export function confineOnExec(profile: string, free: number): readonly ProgramCall[] {
  const text = `exec ${profile}`
  return [
    { call: 'openat', args: [AT_FDCWD, '/proc/thread-self/attr/exec', O_WRONLY, 0] },
    { call: 'write', args: [free, text, text.length] },
    { call: 'close', args: [free] },
  ]
}
