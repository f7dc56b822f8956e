import { closeSync, openSync, statfsSync } from 'node:fs'
import { cloneMount, enterNamespaces, type Namespaces, O_PATH } from '#builder/linux'
import { TsbuildError } from '#core'
import { descriptorPath, findEntryIfThere } from '../root/root-entry.ts'
import type { StepNamespaces } from './step-namespaces.ts'

const TMPFS_MAGIC = 0x01021994

/**
 * The /dev/shm of the host or of another container, for one that shares its memory by name. The thread is on the host
 * before and afterwards.
 * @returns descriptor of a mount that is attached nowhere; `undefined`: it has its own
 * @throws {TsbuildError} STEP_FAILED where the other container has none
 */
export function openSharedMemory(
  { ipc, ipcMounts }: StepNamespaces,
  home: Namespaces,
): number | undefined {
  if (ipcMounts === undefined) return ipc === 'host' ? cloneMount('/dev/shm') : undefined
  const directory = openShm(ipcMounts, home)
  try {
    // The kernel clones what is in the mount namespace of the thread.
    enterNamespaces({ mnt: ipcMounts })
    return cloneMount(directory)
  } finally {
    enterNamespaces(home)
    closeSync(directory)
  }
}

/** Paths are walked on the host, whose /proc has the descriptors of this process. */
function openShm(mnt: number, home: Namespaces): number {
  const root = openRootOf(mnt, home)
  try {
    const entry = findEntryIfThere(root, '/dev/shm')
    if (entry !== undefined) {
      const isMemory = statfsSync(descriptorPath(entry.descriptor)).type === TMPFS_MAGIC
      if (isMemory && entry.stat.isDirectory()) return entry.descriptor
      closeSync(entry.descriptor)
    }
  } finally {
    closeSync(root)
  }
  throw new TsbuildError('share the memory of another container: its /dev/shm is none', {
    code: 'STEP_FAILED',
  })
}

function openRootOf(mnt: number, home: Namespaces): number {
  try {
    enterNamespaces({ mnt })
    return openSync('/', O_PATH)
  } finally {
    enterNamespaces(home)
  }
}
