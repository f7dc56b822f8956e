/**
 * What a step may do, as data: what container engines give by default, so that Dockerfiles written
 * for them work.
 */
import { capabilityMask } from './capabilities.ts'

/** The 14 capabilities of a root step, one bit each. */
export const STEP_CAPABILITIES: bigint = capabilityMask(
  'CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE NET_RAW SYS_CHROOT MKNOD AUDIT_WRITE SETFCAP',
)

/** The right to send signals to processes of other users, as a bit. */
export const CAP_KILL: bigint = capabilityMask('KILL')

/** Files and directories that tell about or control the host: they look empty. */
export const MASKED_PATHS: readonly string[] = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
]

/** Readable, but the kernel cannot be configured through them. */
export const READONLY_PATHS: readonly string[] = [
  '/proc/bus',
  '/proc/fs',
  '/proc/irq',
  '/proc/sys',
  '/proc/sysrq-trigger',
]

/** The files of /dev, all mode 0666: name, major, minor. */
export const DEVICES: readonly (readonly [string, number, number])[] = [
  ['null', 1, 3],
  ['zero', 1, 5],
  ['full', 1, 7],
  ['random', 1, 8],
  ['urandom', 1, 9],
  ['tty', 5, 0],
]

/** Devices that only steps with all rights get, where the host has them. */
export const HOST_DEVICES: readonly string[] = [
  ...['kmsg', 'cuse', 'fuse', 'kvm', 'net/tun', 'loop-control'],
  ...Array.from({ length: 8 }, (_, number) => `loop${number}`),
]

/** Symbolic links of /dev: name, target. */
export const DEVICE_LINKS: readonly (readonly [string, string])[] = [
  ['fd', '/proc/self/fd'],
  ['stdin', '/proc/self/fd/0'],
  ['stdout', '/proc/self/fd/1'],
  ['stderr', '/proc/self/fd/2'],
  ['ptmx', 'pts/ptmx'],
]

/** Where `/dev/core` leads, with kernels that have it. */
export const KERNEL_MEMORY = '/proc/kcore'

/** How many files a process may have open: as much as the kernel allows by itself. */
export const OPEN_FILES = 1_048_576n

/** The umask of a step's process. */
export const STEP_UMASK = 0o022
