import { existsSync } from 'node:fs'
import {
  closeNamespaces,
  labelMounts,
  type Namespaces,
  namespacesToReturnTo,
  setUmask,
  unshareWorkingDirectory,
} from '#builder/linux'
import { makeFolders } from '#disk'
import { stepFilter } from '../filter/step-filter.ts'
import { type HostFacts, readHostFacts } from '../root/host-facts.ts'
import { labelShown } from '../root/label-shown.ts'
import { type MountPointLayer, makeMountPointLayer } from '../root/mount-point-layer.ts'

/** A thread that prepares steps: how it comes back from their namespaces, and the facts of the host. */
export interface Preparer {
  /** An empty directory of ours: in each step's mount namespace, the scaffold is mounted here. */
  readonly scaffold: string
  readonly mountPoints: MountPointLayer
  readonly home: Namespaces
  readonly host: HostFacts
  /** False where steps should have labels, and files that they are shown take none. */
  readonly canLabel: boolean
  readonly filter: ReturnType<typeof stepFilter>
}

/** The store as far as steps are shown its files. */
export interface ShownFiles {
  readonly store: string
  /** Those in it that have what steps are shown, also before it is theirs: the kernel may label it. */
  readonly folders: readonly string[]
}

/** What a preparer is opened with. */
export interface PreparerOptions {
  /** A directory of ours. */
  readonly temporary: string
  readonly shown: ShownFiles
}

/**
 * Binds the calling thread to this work: it gets a working directory and umask of its own.
 * All that it mounts from now on has the label of steps' files, where steps have labels.
 */
export function openPreparer({ temporary, shown }: PreparerOptions): Preparer {
  unshareWorkingDirectory()
  setUmask(0)
  const host = readHostFacts(shown.store)
  const canLabel = canLabelShown(shown, host)
  labelMounts(canLabel ? host.labels?.file : undefined)
  const scaffold = `${temporary}/scaffold`
  makeFolders(scaffold, 0o700)
  return {
    scaffold,
    mountPoints: makeMountPointLayer(`${temporary}/mount-points`),
    home: namespacesToReturnTo(),
    host,
    canLabel,
    filter: stepFilter(),
  }
}

/** Releases what `openPreparer` opened. */
export function closePreparer({ home }: Preparer): void {
  closeNamespaces(home)
}

function canLabelShown({ folders }: ShownFiles, { labels }: HostFacts): boolean {
  if (labels === undefined) return true
  return folders.every((folder) => !existsSync(folder) || labelShown(folder, labels.source))
}
