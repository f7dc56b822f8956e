import { readdirSync, statSync, unlinkSync } from 'node:fs'
import { StackTree } from '#builder/layer'
import {
  getXattr,
  makeWhiteout,
  opaqueXattr,
  RootedDirectory,
  setFileTimes,
  setXattr,
} from '#builder/linux'
import { checkpoint, errnoOf, ioError, joinName, type Name, TsbuildError, textOfName } from '#core'
import { unavailableError } from './unavailable.ts'

/** How names begin that fuse-overlayfs keeps for itself; it shows no step a file of such a name. */
const MARK = '.wh.'
/** It says that its folder is opaque. */
const OPAQUE = '.wh..wh..opq'
/** What that hides itself by. */
const HIDDEN = '.wh..opq'

/** What fuse-overlayfs has written, and the layers below, topmost first. */
export interface FuseUpper {
  readonly upper: string
  readonly lower: readonly string[]
}

/**
 * Turns what fuse-overlayfs leaves in a directory into overlay form: files that say that a folder is
 * opaque, and those that stand for a deleted name where it makes no device.
 * @throws {TsbuildError} SNAPSHOT_UNAVAILABLE where it cannot tell what was changed, or the file system
 *   has no such marks, IO_FAILED, NO_SPACE, CANCELLED
 */
export function adoptFuseUpper({ upper, lower }: FuseUpper): void {
  const below = new StackTree(lower)
  const tree = new RootedDirectory(upper)
  try {
    const left = ['' as Name]
    for (let path = left.pop(); path !== undefined; path = left.pop()) {
      checkpoint()
      left.push(...adoptDirectory(tree, path, below))
    }
  } catch (cause) {
    if (errnoOf(cause) === 'EPERM') throw unavailableError('mark what a step has deleted', cause)
    throw ioError('read what fuse-overlayfs has written', cause)
  } finally {
    tree.close()
    below.close()
  }
}

/** @returns the directories in it */
function adoptDirectory(tree: RootedDirectory, path: Name, below: StackTree): readonly Name[] {
  const inside = tree.inside(path)
  const entries = readdirSync(inside, { withFileTypes: true, encoding: 'latin1' })
  const marks = entries.filter(({ name }) => name.startsWith(MARK)).map(({ name }) => name as Name)
  if (marks.length > 0) {
    const times = statSync(inside, { bigint: true })
    for (const mark of marks) dropMark(tree, path, mark)
    setFileTimes(`${tree.inside(path)}/.`, times)
  }
  for (const entry of entries) {
    if (entry.isFile() && !marks.includes(entry.name as Name)) {
      requireOneName(joinName(path, entry.name as Name), below)
    }
  }
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => joinName(path, name as Name))
}

/** What is written by one of several names of a lower file is written to another one, in the end. */
function requireOneName(path: Name, below: StackTree): void {
  const stat = below.lstat(path)
  if (stat?.type !== 'file' || stat.nlink === 1) return
  throw new TsbuildError(
    `fuse-overlayfs mixes up the names of ${JSON.stringify(textOfName(path))}, which is changed and has several`,
    { code: 'SNAPSHOT_UNAVAILABLE', hint: 'choose another --snapshotter, such as copies' },
  )
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
