import { statSync } from 'node:fs'
import { attachMount, labelTree, MS, mount, mountOverlay, restrictMount } from '#builder/linux'
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
  /** The label of SELinux that files of steps have; absent: none. */
  readonly label: string | undefined
}

/**
 * Mounts the root of the step. Unless `devices` is true, the device files in it cannot be opened: they
 * may be made and shipped in an image, but where nothing else keeps a step from devices of the host,
 * the mount does.
 */
export function mountRoot(
  root: Mount,
  target: string,
  { devices, mountPoints, label }: RootMountOptions,
): void {
  switch (root.type) {
    case 'overlay':
      // Alone it is shown as it is.
      if (label !== undefined && root.lower.length === 0) labelUpper(root, label)
      mountOverlay(above(mountPoints, root), target)
      break
    case 'detached':
      attachMount(root.descriptor, target)
      // What is mounted in the copy is seen by nobody who looks through the descriptor: another process
      // that is being started may hold this namespace a moment longer than the step.
      mount(target, { source: target, flags: MS.BIND })
      break
    case 'bind':
      if (label !== undefined) labelTree(root.source, label)
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

function labelUpper({ writable }: OverlayMount, label: string): void {
  if (writable !== undefined) labelTree(writable.upper, label)
}
