/** System calls that are refused to steps and allowed to programs with a capability, as in docker's profile. */
import { type CallRule, callRules } from './call-rules.ts'
import { capabilityMask } from './capabilities.ts'

const BY_CAPABILITY: Readonly<Record<string, string>> = {
  BPF: 'bpf',
  DAC_READ_SEARCH: 'open_by_handle_at',
  PERFMON: 'perf_event_open',
  SYSLOG: 'syslog',
  SYS_ADMIN: `bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie mount
    mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname
    setns syslog umount umount2 unshare`,
  SYS_BOOT: 'reboot',
  SYS_MODULE: 'delete_module finit_module init_module',
  SYS_NICE: 'get_mempolicy mbind set_mempolicy set_mempolicy_home_node',
  SYS_PACCT: 'acct',
  SYS_PTRACE: 'kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace',
  SYS_RAWIO: 'ioperm iopl',
  SYS_TIME: 'clock_settime clock_settime64 settimeofday stime',
  SYS_TTY_CONFIG: 'vhangup',
}

/** What programs without the capability are refused, although steps may do it. */
const CHROOT = capabilityMask('SYS_CHROOT')

/** The rules for programs with these capabilities; absent: all. */
export function capabilityRules(capabilities: bigint | undefined): ReadonlyMap<string, CallRule> {
  const rules = new Map(callRules())
  const has = (mask: bigint): boolean => capabilities === undefined || (capabilities & mask) !== 0n
  if (!has(CHROOT)) rules.delete('chroot')
  for (const [name, calls] of Object.entries(BY_CAPABILITY)) {
    if (!has(capabilityMask(name))) continue
    for (const call of calls.split(/\s+/)) rules.set(call, 'allowed')
  }
  return rules
}
