import { MS, namespaceFlags, type ProgramCall } from '#builder/linux'

const AT_FDCWD = -100

/**
 * What a process does that tries whether it gets what steps need: namespaces, a way back, mounts,
 * another root. Filters of system calls and security modules refuse these one by one. Its standard
 * errors are closed.
 */
export const NAMESPACE_CALLS: readonly ProgramCall[] = [
  { call: 'unshare', args: [namespaceFlags('mnt', 'ipc', 'uts', 'pid')] },
  { call: 'close', args: [2] },
  // The lowest number that is free.
  { call: 'openat', args: [AT_FDCWD, '/proc/self/ns/mnt', 0, 0] },
  { call: 'setns', args: [2, namespaceFlags('mnt')] },
  { call: 'mount', args: ['none', '/', 0, MS.REC | MS.PRIVATE, 0] },
  { call: 'mount', args: ['tmpfs', '/proc', 'tmpfs', 0, 0] },
  { call: 'chdir', args: ['/proc'] },
  { call: 'mount', args: ['.', '/', 0, MS.MOVE, 0] },
  { call: 'chroot', args: ['.'] },
]
