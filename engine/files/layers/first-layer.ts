import {
  chmodSync,
  existsSync,
  lchownSync,
  lutimesSync,
  mkdirSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { stackTree } from '#builder/layer'
import { fileRights } from '#builder/linux'
import { ioError, type Name, parentOf, type Tree } from '#core'
import { removeTreeSync } from '#disk'

/** What every container of docker has, and no image gets when a container is committed. */
const ENTRIES: readonly (readonly [path: string, made: 'directory' | 'file' | { to: string }])[] = [
  ['dev', 'directory'],
  ['dev/pts', 'directory'],
  ['dev/shm', 'directory'],
  ['dev/console', 'file'],
  ['etc', 'directory'],
  ['etc/hostname', 'file'],
  ['etc/hosts', 'file'],
  ['etc/resolv.conf', 'file'],
  ['etc/mtab', { to: '/proc/mounts' }],
  ['proc', 'directory'],
  ['sys', 'directory'],
  ['.dockerenv', 'file'],
]
const MODE = 0o755

/**
 * Makes the layer between an image and what a container changes: what the image lacks of the files on which something
 * is mounted in every container, and the mark of one. Thus none of it is a change of the container.
 * @param directory where it stays; nothing happens where it is
 * @param lower the layers of the image, topmost first
 * @throws {TsbuildError} IO_FAILED, NO_SPACE
 */
export function makeFirstLayer(directory: string, lower: readonly string[]): void {
  if (existsSync(directory)) return
  const making = `${directory}-making`
  const image = stackTree(lower)
  try {
    removeTreeSync(making)
    mkdirSync(making, { recursive: true })
    chmodSync(making, MODE)
    for (const [path, made] of ENTRIES) makeEntry(making, { path, made, image })
    // After everything in them: making a file changes the time of its directory.
    for (const path of ['', 'dev', 'etc']) copyAttributes(join(making, path), image, path as Name)
    renameSync(making, directory)
  } catch (cause) {
    throw ioError(`make the layer ${directory}`, cause)
  } finally {
    image.close()
  }
}

interface Entry {
  readonly path: string
  readonly made: (typeof ENTRIES)[number][1]
  readonly image: Tree
}

/** An entry of the image stays, and so does what is no directory in the place of one. */
function makeEntry(root: string, { path, made, image }: Entry): void {
  const parent = image.lstat(parentOf(path as Name))
  if (parent !== undefined && parent.type !== 'directory') return
  const found = image.lstat(path as Name)
  const isParent =
    found?.type === 'directory' && ENTRIES.some(([one]) => one.startsWith(`${path}/`))
  if (found !== undefined && !isParent) return
  const place = join(root, path)
  if (typeof made === 'object') {
    symlinkSync(made.to, place)
    return
  }
  if (made === 'directory') mkdirSync(place)
  else writeFileSync(place, '', { flag: 'wx' })
  // Whatever the umask is.
  chmodSync(place, MODE)
}

/** A directory that the image has, too, looks as it does there. */
function copyAttributes(place: string, image: Tree, path: Name): void {
  const stat = image.lstat(path)
  if (stat?.type !== 'directory' || !existsSync(place)) return
  if (fileRights().givesOwners) lchownSync(place, stat.uid, stat.gid)
  chmodSync(place, stat.mode)
  lutimesSync(place, stat.mtimeMs / 1000, stat.mtimeMs / 1000)
}
