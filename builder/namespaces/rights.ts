/** What this process may do, as far as running steps depends on it. */
import { existsSync, readFileSync } from 'node:fs'
import { IN_PLACE_MARKER } from '#core'

/** Capabilities without which no step can be started in namespaces, by the kernel's numbers. */
const NEEDED = {
  CHOWN: 0,
  DAC_OVERRIDE: 1,
  FOWNER: 3,
  SETGID: 6,
  SETUID: 7,
  SETPCAP: 8,
  NET_ADMIN: 12,
  SYS_CHROOT: 18,
  SYS_ADMIN: 21,
} as const

/** The lines of /proc/self/status, without their tabs. */
export type ProcessStatus = ReadonlyMap<string, string>

/** Reads the status of this process. */
export function processStatus(): ProcessStatus {
  const lines = readFileSync('/proc/self/status', 'latin1').split('\n')
  return new Map(
    lines.map((line) => {
      const [key = '', value = ''] = line.split(':')
      return [key, value.trim()] as const
    }),
  )
}

/** What a container must be started with, so that steps can have namespaces. */
export function inAContainer(): string {
  const remedy =
    'docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined; for a pod of Kubernetes seccompProfile.type: Unconfined, or hostUsers: false with the capability SYS_ADMIN'
  if (existsSync(IN_PLACE_MARKER)) return remedy
  return `in a container: ${remedy}; or use the image tsbuild, which runs steps in place`
}

/** What to do where the kernel does not permit something; `undefined` when nothing is known. */
export function remedyFor(errno: string, status: ProcessStatus): string | undefined {
  if (errno !== 'EPERM' && errno !== 'EACCES') return undefined
  const missing = missingCapabilities(status)
  if (missing.length > 0) {
    return `this process lacks the ${missing.length === 1 ? 'capability' : 'capabilities'} ${missing.join(', ')}: start it with ${missing.length === 1 ? 'it' : 'them'} (docker run --cap-add, or --privileged)`
  }
  return status.get('Seccomp') === '2'
    ? `a filter of system calls is on this process; ${inAContainer()}`
    : undefined
}

function missingCapabilities(status: ProcessStatus): readonly string[] {
  const held = BigInt(`0x${status.get('CapEff') || '0'}`)
  return Object.entries(NEEDED)
    .filter(([, number]) => ((held >> BigInt(number)) & 1n) === 0n)
    .map(([name]) => name)
}

/** True when programs that this process starts get no rights from set-uid bits and file capabilities. */
export function hasNoNewPrivileges(status: ProcessStatus): boolean {
  return status.get('NoNewPrivs') === '1'
}
