import { readFileSync } from 'node:fs'

/**
 * `--privileged`; or what it is made of, where this machine's own processes lack a capability, which
 * Debian's docker would ask for nonetheless.
 */
export function privilegedOptions(): readonly string[] {
  const missing = missingCapabilities()
  if (missing.length === 0) return ['--privileged']
  return [
    ...['--cap-add', 'ALL', ...missing.flatMap((name) => ['--cap-drop', name])],
    ...['seccomp', 'apparmor', 'systempaths'].map((name) => `--security-opt=${name}=unconfined`),
    '--device-cgroup-rule=a *:* rwm',
  ]
}

/** Those of the kernel's capabilities that this process cannot pass on, as docker calls them. */
function missingCapabilities(): readonly string[] {
  const status = readFileSync('/proc/self/status', 'utf8')
  const owned = BigInt(`0x${/^CapBnd:\t(.*)$/m.exec(status)?.[1] ?? '0'}`)
  return CAPABILITIES.filter((_, bit) => ((owned >> BigInt(bit)) & 1n) === 0n)
}

/** In the order of their numbers. Spec: linux/capability.h, of Linux 5.9 and later */
const CAPABILITIES: readonly string[] = [
  ...['CHOWN', 'DAC_OVERRIDE', 'DAC_READ_SEARCH', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID'],
  ...['SETPCAP', 'LINUX_IMMUTABLE', 'NET_BIND_SERVICE', 'NET_BROADCAST', 'NET_ADMIN', 'NET_RAW'],
  ...['IPC_LOCK', 'IPC_OWNER', 'SYS_MODULE', 'SYS_RAWIO', 'SYS_CHROOT', 'SYS_PTRACE', 'SYS_PACCT'],
  ...['SYS_ADMIN', 'SYS_BOOT', 'SYS_NICE', 'SYS_RESOURCE', 'SYS_TIME', 'SYS_TTY_CONFIG', 'MKNOD'],
  ...['LEASE', 'AUDIT_WRITE', 'AUDIT_CONTROL', 'SETFCAP', 'MAC_OVERRIDE', 'MAC_ADMIN', 'SYSLOG'],
  ...['WAKE_ALARM', 'BLOCK_SUSPEND', 'AUDIT_READ', 'PERFMON', 'BPF', 'CHECKPOINT_RESTORE'],
]
