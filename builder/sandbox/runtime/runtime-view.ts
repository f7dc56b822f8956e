/**
 * What an OCI runtime sees: a mount namespace with the host's files and the assembled root, which ends with the
 * start of the step. In the step's own mount namespace, which pid 1 is in, there is nothing of the host. So what
 * the runtime writes (config, state, log) is in memory, and gone with it, whenever that is.
 */
import { closeSync, existsSync, mkdirSync, openSync, realpathSync, writeFileSync } from 'node:fs'
import { MS, mount, O_PATH, restrictMount, unshareNamespaces } from '#builder/linux'
import type { Place } from '../process/step-place.ts'
import { descriptorPath } from '../root/root-entry.ts'
import type { ContainerPlace } from './oci-config.ts'
import type { RuntimeKind } from './runtime-program.ts'

/** A mount namespace for the runtime. Its descriptors are open until `closeView`. */
export interface RuntimeView {
  /** Descriptor of the namespace. */
  readonly mounts: number
  /** Descriptor of a directory in it for the runtime's files. */
  readonly bundle: number
  /** The path of that directory there. */
  readonly path: string
  readonly container: ContainerPlace
}

/** Kinds of namespaces that a container joins, and how configs call them. */
const JOINED = { pid: 'pid', ipc: 'ipc', uts: 'uts', net: 'network' } as const

/** Makes the namespace, and leaves the calling thread in it. */
export function makeView({ namespaces, first, scaffold }: Place, kind: RuntimeKind): RuntimeView {
  unshareNamespaces(['mnt'])
  const base = realpathSync(scaffold.base)
  const path = `${base}/bundle`
  mkdirSync(path, 0o700)
  const all = { ...namespaces, pid: first.namespace }
  const joined: Record<string, string> = {}
  for (const [own, name] of Object.entries(JOINED)) {
    const descriptor = all[own as keyof typeof JOINED]
    if (descriptor !== undefined)
      joined[name] = showNamespace(descriptor, `${path}/${name}-namespace`)
  }
  hideGroups(kind)
  const rootfs = `${base}/root`
  return {
    mounts: openSync('/proc/thread-self/ns/mnt', 'r'),
    bundle: openSync(path, O_PATH),
    path,
    container: { rootfs, namespaces: joined },
  }
}

/** Closes the descriptors. */
export function closeView({ mounts, bundle }: RuntimeView): void {
  closeSync(mounts)
  closeSync(bundle)
}

/** The runtime opens namespaces by path, in processes that do not have our descriptors. */
function showNamespace(descriptor: number, path: string): string {
  writeFileSync(path, '')
  mount(path, { source: descriptorPath(descriptor), flags: MS.BIND })
  return path
}

const GROUPS = '/sys/fs/cgroup'

/**
 * A runtime that can make no control groups leaves the process in those that it is put into (ADR 70). crun
 * looks at what is mounted there even so, and refuses hosts with both versions.
 */
function hideGroups(kind: RuntimeKind): void {
  if (!existsSync(GROUPS)) return
  if (kind === 'crun') mount(GROUPS, { type: 'tmpfs', flags: MS.RDONLY, data: 'mode=755' })
  else restrictMount(GROUPS, { flags: MS.RDONLY, recursive: true })
}
