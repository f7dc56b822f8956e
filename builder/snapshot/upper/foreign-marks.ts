import { readdirSync, statSync, unlinkSync } from 'node:fs'
import { makeWhiteout, RootedDirectory, setFileTimes } from '#builder/linux'
import { joinName, type Name } from '#core'

/** How names begin that fuse-overlayfs keeps for itself; it shows no step a file of such a name. */
const MARK = '.wh.'
const OPAQUE = ['.wh..wh..opq', '.wh..opq']

/**
 * Removes what fuse-overlayfs leaves in a directory beside the marks of overlay form: files that say
 * once more that a folder is opaque, and those that stand for a deleted name where it can make no
 * device, which become whiteouts.
 */
export function dropForeignMarks(upper: string): void {
  const tree = new RootedDirectory(upper)
  try {
    const left = ['' as Name]
    for (let path = left.pop(); path !== undefined; path = left.pop()) {
      left.push(...cleanDirectory(tree, path))
    }
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
    setFileTimes(inside, times)
  }
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => joinName(path, name as Name))
}

function dropMark(tree: RootedDirectory, path: Name, mark: Name): void {
  unlinkSync(tree.place(joinName(path, mark)))
  if (OPAQUE.includes(mark)) return
  const deleted = joinName(path, mark.slice(MARK.length) as Name)
  if (tree.lstat(deleted) === undefined) makeWhiteout(tree.place(deleted))
}
