import { closeSync } from 'node:fs'
import type { Resources } from '#core'
import type { NamespaceSource } from '../spec/container-settings.ts'
import type { NamespaceHolder, SharedKind } from '../spec/namespace-holder.ts'
import type { ProcessSpec } from '../spec/process-spec.ts'

/** Where namespaces of a step come from, besides mounts and network: a number is a descriptor. Data. */
export interface StepNamespaces {
  readonly pid: 'own' | 'host' | number
  readonly ipc: 'own' | 'host' | number
  readonly uts: 'own' | 'host' | number
  readonly cgroup: 'own' | 'host'
  /** It has no /dev/shm. */
  readonly hasNoMemory?: boolean
  /** The mounts of the process whose `ipc` it is: memory that is shared by name lies there. */
  readonly ipcMounts?: number
}

/** Those of steps of builds. */
const OWN_NAMESPACES: StepNamespaces = {
  pid: 'own',
  ipc: 'own',
  uts: 'own',
  cgroup: 'own',
}

/**
 * Opens the namespaces that a container shares.
 * @param taken closes them
 * @throws {TsbuildError} as `NamespaceHolder.openNamespace` does
 */
export function openStepNamespaces(
  { container }: Pick<ProcessSpec, 'container'>,
  taken: Resources,
): StepNamespaces {
  const wanted = container?.namespaces
  if (wanted === undefined) return OWN_NAMESPACES
  const { pid, ipc, uts, cgroup = 'own' } = wanted
  const open = (holder: NamespaceHolder, kind: SharedKind | 'mnt'): number => {
    const descriptor = holder.openNamespace(kind)
    taken.use({ [Symbol.dispose]: () => closeSync(descriptor) })
    return descriptor
  }
  const from = (source: NamespaceSource = 'own', kind: SharedKind): 'own' | 'host' | number =>
    typeof source === 'string' ? source : open(source, kind)
  return {
    pid: from(pid, 'pid'),
    ipc: from(ipc === 'none' ? 'own' : ipc, 'ipc'),
    uts: from(uts, 'uts'),
    cgroup,
    ...(ipc === 'none' && { hasNoMemory: true }),
    ...(typeof ipc === 'object' && { ipcMounts: open(ipc, 'mnt') }),
  }
}

/** The kinds of namespaces in which a step is on the host. */
export function hostKinds(
  { pid, ipc, uts }: { readonly [K in 'pid' | 'ipc' | 'uts']?: unknown },
  network: unknown,
): readonly SharedKind[] {
  const kinds = Object.entries({ ipc, net: network, pid, uts }) as [SharedKind, unknown][]
  return kinds.flatMap(([kind, source]) => (source === 'host' ? [kind] : []))
}
