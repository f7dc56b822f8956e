import { accessSync, constants } from 'node:fs'

const DIRECTORIES = ['/usr/bin', '/usr/local/bin', '/bin', '/usr/sbin', '/usr/local/sbin', '/sbin']

/** Where fuse-overlayfs is installed; `undefined` where it is not. */
export function findFuseOverlay(): string | undefined {
  return DIRECTORIES.map((directory) => `${directory}/fuse-overlayfs`).find((path) =>
    isAccessible(path, constants.X_OK),
  )
}

/** Whether fuse-overlayfs is installed and this process may open the kernel's device for it. */
export function hasFuseOverlay(): boolean {
  const isOpen = isAccessible('/dev/fuse', constants.R_OK | constants.W_OK)
  return isOpen && findFuseOverlay() !== undefined
}

function isAccessible(path: string, mode: number): boolean {
  try {
    accessSync(path, mode)
    return true
  } catch {
    return false
  }
}
