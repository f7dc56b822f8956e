import {
  closeNamespaces,
  labelMounts,
  labelTree,
  type Namespaces,
  namespacesToReturnTo,
  setUmask,
  unshareWorkingDirectory,
} from '#builder/linux'
import { makeFolders } from '#disk'
import { stepFilter } from '../filter/step-filter.ts'
import { type HostFacts, readHostFacts } from '../root/host-facts.ts'
import { type MountPointLayer, makeMountPointLayer } from '../root/mount-point-layer.ts'

/** A thread that prepares steps: how it comes back from their namespaces, and the facts of the host. */
export interface Preparer {
  /** An empty directory of ours: in each step's mount namespace, the scaffold is mounted here. */
  readonly scaffold: string
  readonly mountPoints: MountPointLayer
  readonly home: Namespaces
  readonly host: HostFacts
  readonly filter: ReturnType<typeof stepFilter>
}

/** What a preparer is opened with. */
export interface PreparerOptions {
  /** A directory of ours. */
  readonly temporary: string
  /** Below it lies all that steps are shown of this machine: where the kernel labels files, these get labels. */
  readonly store: string
}

/**
 * Binds the calling thread to this work: it gets a working directory and umask of its own.
 * All that it mounts from now on has the label of steps' files, where steps have labels.
 */
export function openPreparer({ temporary, store }: PreparerOptions): Preparer {
  unshareWorkingDirectory()
  setUmask(0)
  const host = readHostFacts(store)
  if (host.labels !== undefined) {
    labelTree(store, host.labels.source)
    labelMounts(host.labels.file)
  }
  const scaffold = `${temporary}/scaffold`
  makeFolders(scaffold, 0o700)
  return {
    scaffold,
    mountPoints: makeMountPointLayer(`${temporary}/mount-points`),
    home: namespacesToReturnTo(),
    host,
    filter: stepFilter(),
  }
}

/** Releases what `openPreparer` opened. */
export function closePreparer({ home }: Preparer): void {
  closeNamespaces(home)
}
