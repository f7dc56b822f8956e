import { closeSync, openSync } from 'node:fs'
import { enterNamespaces, type Namespaces, O_PATH } from '#builder/linux'

/** Descriptors of a mount namespace, and of its root. */
export interface MadeRoot {
  readonly mnt: number
  readonly root: number
}

/**
 * Opens where a process runs, which may change its own root later.
 * @param home the namespaces of the calling thread
 */
export function openMade(pid: number, home: Namespaces): MadeRoot {
  const mnt = openSync(`/proc/${pid}/ns/mnt`, 'r')
  try {
    enterNamespaces({ mnt })
    return { mnt, root: openSync('/', O_PATH) }
  } catch (cause) {
    closeSync(mnt)
    throw cause
  } finally {
    enterNamespaces(home)
  }
}

/** Closes the descriptors. */
export function closeMade({ mnt, root }: MadeRoot): void {
  closeSync(mnt)
  closeSync(root)
}
