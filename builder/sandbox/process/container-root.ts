import { closeSync, openSync } from 'node:fs'
import { enterNamespaces, MS, makeMountsPrivate, O_PATH, unshareNamespaces } from '#builder/linux'
import { mountRoot } from '../root/root-mount.ts'
import { mountScaffold } from '../root/scaffold.ts'
import { mountAll } from '../root/step-mounts.ts'
import type { ProcessSpec } from '../spec/process-spec.ts'
import type { MadeRoot } from './made-root.ts'
import type { Preparer } from './preparer.ts'

/**
 * Mounts what a container without processes would see, in a mount namespace that lasts as long as the result. The
 * thread is back on the host afterwards.
 * @throws {TsbuildError} STEP_FAILED when the image does not fit
 */
export function openContainerRoot(
  { scaffold: base, mountPoints, home }: Preparer,
  spec: ProcessSpec['mounts'],
): MadeRoot {
  const [rootMount, ...mounts] = spec
  let root: number | undefined
  try {
    unshareNamespaces(['mnt'])
    makeMountsPrivate()
    const scaffold = mountScaffold(base)
    const labelShown = (): void => undefined
    mountRoot(rootMount, scaffold.root, { devices: false, mountPoints, labelShown })
    root = openSync(scaffold.root, O_PATH)
    const sockets = mountAll(root, mounts, {
      ...{ scaffold, labelShown, socketLabel: undefined },
      onCreate: (_, make) => make(),
      user: { uid: 0, gid: 0, groups: [] },
      container: { flags: MS.NODEV, passing: new Map() },
    })
    for (const { descriptor } of sockets) closeSync(descriptor)
    return { root, mnt: openSync('/proc/thread-self/ns/mnt', 'r') }
  } catch (cause) {
    if (root !== undefined) closeSync(root)
    throw cause
  } finally {
    enterNamespaces(home)
  }
}
