import { readdirSync, statSync, unlinkSync } from 'node:fs'
import {
  getXattr,
  makeWhiteout,
  opaqueXattr,
  RootedDirectory,
  setFileTimes,
  setXattr,
} from '#builder/linux'
import { ioError, joinName, type Name } from '#core'

/** How names begin that fuse-overlayfs keeps for itself; it shows no step a file of such a name. */
const MARK = '.wh.'
/** It says that its folder is opaque. */
const OPAQUE = '.wh..wh..opq'
/** What that hides itself by. */
const HIDDEN = '.wh..opq'

/**
 * Turns what fuse-overlayfs leaves in a directory into overlay form: files that say that a folder is
 * opaque, and those that stand for a deleted name where it makes no device.
 * @throws {TsbuildError} PERMISSION_DENIED where the file system takes no devices, IO_FAILED, NO_SPACE
 */
export function dropForeignMarks(upper: string): void {
  const tree = new RootedDirectory(upper)
  try {
    const left = ['' as Name]
    for (let path = left.pop(); path !== undefined; path = left.pop()) {
      left.push(...cleanDirectory(tree, path))
    }
  } catch (cause) {
    throw ioError('read what fuse-overlayfs has written', cause)
  } finally {
    tree.close()
  }
}

/** @returns the directories in it */
function cleanDirectory(tree: RootedDirectory, path: Name): readonly Name[] {
  const inside = tree.inside(path)
  const entries = readdirSync(inside, { withFileTypes: true, encoding: 'latin1' })
  const marks = entries.filter(({ name }) => name.startsWith(MARK)).map(({ name }) => name as Name)
  if (marks.length > 0) {
    const times = statSync(inside, { bigint: true })
    for (const mark of marks) dropMark(tree, path, mark)
    setFileTimes(`${tree.inside(path)}/.`, times)
  }
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => joinName(path, name as Name))
}

function dropMark(tree: RootedDirectory, path: Name, mark: Name): void {
  unlinkSync(tree.place(joinName(path, mark)))
  if (mark === HIDDEN) return
  if (mark === OPAQUE) {
    const place = `${tree.inside(path)}/.`
    if (getXattr(place, opaqueXattr()) === undefined) setXattr(place, opaqueXattr(), YES)
    return
  }
  const deleted = joinName(path, mark.slice(MARK.length) as Name)
  if (tree.lstat(deleted) === undefined) makeWhiteout(tree.place(deleted))
}

const YES = Buffer.from('y')
