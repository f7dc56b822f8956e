import { isExecutable } from '#disk'

const DIRECTORIES = ['/usr/bin', '/usr/local/bin', '/bin', '/usr/sbin', '/usr/local/sbin', '/sbin']

/** Where fuse-overlayfs is installed; `undefined` where it is not. */
export function findFuseOverlay(): string | undefined {
  return DIRECTORIES.map((directory) => `${directory}/fuse-overlayfs`).find(isExecutable)
}
