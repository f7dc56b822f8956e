import { closeSync, constants, openSync, statSync } from 'node:fs'
import { makeFolders } from '#disk'

/**
 * A layer with what every step's own files are mounted on. It lies below those of the image, so that what an
 * image lacks need not be made for each of its steps, and be removed again.
 */
export interface MountPointLayer {
  /** A directory that steps only read. */
  readonly path: string
  /** Of the file system that it is on. */
  readonly device: number
  /** The inode of its `etc`. */
  readonly etc: number
}

/** Makes the layer at `path`, unless it is there. */
export function makeMountPointLayer(path: string): MountPointLayer {
  const etc = `${path}/etc`
  for (const name of ['', '/dev', '/etc', '/proc', '/sys']) {
    makeFolders(path + name, 0o755)
  }
  for (const name of ['hosts', 'hostname', 'resolv.conf']) {
    closeSync(openSync(`${etc}/${name}`, constants.O_CREAT | constants.O_WRONLY, 0o644))
  }
  const { dev: device, ino } = statSync(etc)
  return { path, device, etc: ino }
}
