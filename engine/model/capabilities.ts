import { TsbuildError } from '#core'

const ALL =
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE'
    .split(' ')
    .map((name) => `CAP_${name}`)

const DEFAULT =
  'CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE'
    .split(' ')
    .map((name) => `CAP_${name}`)

/** What is asked for beside the default. */
export interface CapabilityRequest {
  readonly CapAdd?: readonly string[]
  readonly CapDrop?: readonly string[]
  readonly Privileged?: boolean
}

/**
 * The capabilities of a container, as docker makes them of both lists: ALL dropped leaves those that are added, ALL
 * added is without those that are dropped.
 * @throws {TsbuildError} USAGE
 */
export function capabilitiesOf({
  CapAdd = [],
  CapDrop = [],
  Privileged,
}: CapabilityRequest): readonly string[] {
  const add = CapAdd.map((name) => canonical(name, 'CapAdd'))
  const drop = CapDrop.map((name) => canonical(name, 'CapDrop'))
  if (Privileged === true) return ALL
  const start = drop.includes('ALL') ? [] : add.includes('ALL') ? ALL : DEFAULT
  const dropped = drop.includes('ALL') && add.includes('ALL') ? [] : drop
  const base = drop.includes('ALL') && add.includes('ALL') ? ALL : start
  const kept = base.filter((name) => !dropped.includes(name))
  return [...new Set([...kept, ...add.filter((name) => name !== 'ALL')])]
}

function canonical(name: string, list: string): string {
  const upper = name.toUpperCase()
  if (upper === 'ALL') return upper
  const full = upper.startsWith('CAP_') ? upper : `CAP_${upper}`
  if (ALL.includes(full)) return full
  throw new TsbuildError(`invalid ${list}: unknown capability: "${full}"`, { code: 'USAGE' })
}
