/** The names of capabilities without `CAP_`, by their numbers. Spec: capabilities(7) */
const NAMES: readonly string[] = `
  CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE
  NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO
  SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME
  SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG
  WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE
`
  .trim()
  .split(/\s+/)

/** A set of capabilities, one bit each. */
export function capabilityMask(names: string): bigint {
  return names.split(' ').reduce((mask, name) => mask | bitOf(name), 0n)
}

/** The names of those in a set; what has no name here is left out. */
export function capabilityNames(mask: bigint): readonly string[] {
  return NAMES.filter((name) => (mask & bitOf(name)) !== 0n)
}

/** The number of a capability. @param name without `CAP_` */
export function capabilityNumber(name: string): number | undefined {
  const number = NAMES.indexOf(name)
  return number < 0 ? undefined : number
}

function bitOf(name: string): bigint {
  const number = capabilityNumber(name)
  if (number === undefined) throw new Error(`there is no capability ${name}`)
  return 1n << BigInt(number)
}
