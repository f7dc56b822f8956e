import { statSync } from 'node:fs'
import { attachMount, MS, mount, mountOverlay, restrictMount } from '#builder/linux'
import type { Mount, OverlayMount } from '#core'
import type { MountPointLayer } from './mount-point-layer.ts'
import { mountTmpfs } from './mount-points.ts'
import { descriptorPath } from './root-entry.ts'

/** The host directory that takes up what the step writes to its root; `undefined` when nothing does. */
export function writableOf(root: Mount): string | undefined {
  if (root.type === 'overlay') return root.writable?.upper
  if (root.type === 'detached') {
    return root.writable ? descriptorPath(root.descriptor) : undefined
  }
  return root.type === 'bind' && !root.readonly ? root.source : undefined
}

/** How the root of a step is mounted. */
export interface RootMountOptions {
  /** Device files in it can be opened. */
  readonly devices: boolean
  readonly mountPoints: MountPointLayer
  /** Labels what is shown as it lies on the disk. */
  readonly labelShown: (path: string) => void
}

/**
 * Mounts the root of the step. Unless `devices` is true, the device files in it cannot be opened: they
 * may be made and shipped in an image, but where nothing else keeps a step from devices of the host,
 * the mount does.
 */
export function mountRoot(
  root: Mount,
  target: string,
  { devices, mountPoints, labelShown }: RootMountOptions,
): void {
  switch (root.type) {
    case 'overlay':
      // Alone it is shown as it is.
      if (root.lower.length === 0 && root.writable) labelShown(root.writable.upper)
      mountOverlay(above(mountPoints, root), target)
      break
    case 'detached':
      attachMount(root.descriptor, target)
      // What is mounted in the copy is seen by nobody who looks through the descriptor: another process
      // that is being started may hold this namespace a moment longer than the step.
      mount(target, { source: target, flags: MS.BIND })
      break
    case 'bind':
      if (root.labelled === true) labelShown(root.source)
      mount(target, { source: root.source, flags: MS.BIND })
      if (root.readonly) restrictMount(target, { flags: MS.RDONLY })
      break
    case 'tmpfs':
      mountTmpfs(target, { size: root.size, mode: 0o755, flags: 0 })
      break
    default:
      throw new Error(`a ${root.type} cannot be the root`)
  }
  if (!devices) restrictMount(target, { flags: MS.NODEV })
}

/** Inodes are numbered as in the layers only where all are on one file system. */
function above({ path, device }: MountPointLayer, root: OverlayMount): OverlayMount {
  const { lower, writable } = root
  if (lower.length === 0 || writable === undefined) return root
  return statSync(writable.upper).dev === device ? { ...root, lower: [...lower, path] } : root
}
