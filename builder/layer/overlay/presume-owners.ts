import { joinName, type Name } from '#core'
import { isWhiteoutDevice } from '../paths/whiteout.ts'
import { KeptOwners } from './kept-owners.ts'
import { RawTree } from './raw-tree.ts'
import { StackTree } from './stack-tree.ts'

/**
 * Keeps, beside what a step has left in an upper directory, the owners of those of its files that lie
 * on files of other owners. Where there is one user id only, a step sees all files as root's: whether
 * it would have kept the owner of one that it changed, or set another, is not known. So they are
 * presumed, and marked so. A file is left even where there are none: it says that the step saw such files.
 * @param lowers what it lies on, in overlay form, topmost first
 */
export function presumeOwners(directory: string, lowers: readonly string[]): void {
  const lower = new StackTree(lowers)
  try {
    const upper = new RawTree(directory)
    try {
      new KeptOwners(presumed(upper, lower)).save(directory)
    } finally {
      upper.close()
    }
  } finally {
    lower.close()
  }
}

/** What is in a directory that hides the one below is new, and so is that directory. */
function* presumed(
  upper: RawTree,
  lower: StackTree,
): Generator<readonly [Name, { uid: number; gid: number; isOwnerPresumed: true }]> {
  const pending = ['' as Name]
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const stat = upper.lstat(path)
    if (stat === undefined || isWhiteoutDevice(stat)) continue
    const below = lower.lstat(path)
    if (below?.type !== stat.type) continue
    if (stat.type === 'directory') {
      if (upper.isOpaque(path)) continue
      for (const name of upper.readdir(path)) pending.push(joinName(path, name))
    }
    const { uid, gid } = below
    // The root is in no tar.
    if (path === '' || (uid === stat.uid && gid === stat.gid)) continue
    yield [path, { uid, gid, isOwnerPresumed: true }]
  }
}
