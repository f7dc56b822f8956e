import { isUserNamespace } from '#builder/linux'
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

/** What AppArmor takes for the next program of a process. */
export function profileOnExec(profile: string): string {
  return `exec ${profile}`
}
