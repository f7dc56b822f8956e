import { closeSync, openSync } from 'node:fs'
import { isUserNamespace } from '#disk'
import { syscall } from './syscalls.ts'

/** Kinds of namespaces a thread may be in, with their flags of unshare(2) and setns(2). */
const FLAGS = {
  mnt: 0x20000,
  cgroup: 0x2000000,
  uts: 0x4000000,
  ipc: 0x8000000,
  user: 0x10000000,
  pid: 0x20000000,
  net: 0x40000000,
} as const

/** The kinds of namespaces that a thread enters one by one: all but those of users. */
export type NamespaceKind = Exclude<keyof typeof FLAGS, 'user'>

/** The sum of the flags of these kinds. */
export function namespaceFlags(...kinds: readonly (keyof typeof FLAGS)[]): number {
  return kinds.reduce((sum, kind) => sum | FLAGS[kind], 0)
}

const CLONE_FS = 0x200

/** Open descriptors of namespaces; they keep them alive. */
export type Namespaces = Readonly<Partial<Record<NamespaceKind, number>>>

/**
 * Puts the calling thread, and only it, into new namespaces; the pid namespace takes effect for the
 * processes that it starts from now on.
 */
export function unshareNamespaces(kinds: readonly NamespaceKind[]): void {
  syscall('unshare', [namespaceFlags(...kinds)], kinds.join(','))
}

/** Gives the calling thread a working directory, root and umask of its own. */
export function unshareWorkingDirectory(): void {
  syscall('unshare', [CLONE_FS], 'working directory')
}

/** The calling thread's own namespaces of these kinds. */
export function openNamespaces(kinds: readonly NamespaceKind[]): Namespaces {
  const opened: Partial<Record<NamespaceKind, number>> = {}
  for (const kind of kinds) opened[kind] = openSync(`/proc/thread-self/ns/${kind}`, 'r')
  return opened
}

/** Closes the descriptors. */
export function closeNamespaces(namespaces: Namespaces): void {
  for (const descriptor of Object.values(namespaces)) closeSync(descriptor)
}

/** Moves the calling thread into these namespaces; its working directory becomes their root. */
export function enterNamespaces(namespaces: Namespaces): void {
  for (const kind of KINDS) {
    const descriptor = namespaces[kind]
    if (descriptor !== undefined) syscall('setns', [descriptor, FLAGS[kind]], kind)
  }
}

/**
 * The namespaces that a thread may come back to after it left them. In a user namespace only those
 * that belong to it, and of these a builder needs the mounts.
 */
export function namespacesToReturnTo(): Namespaces {
  return openNamespaces(isUserNamespace() ? ['mnt'] : KINDS)
}

const KINDS: readonly NamespaceKind[] = ['net', 'ipc', 'uts', 'cgroup', 'pid', 'mnt']
