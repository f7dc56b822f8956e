import { joinName, type Name } from '#core'
import { KeptAttributes } from '../overlay/kept-attributes.ts'
import { RawTree } from '../overlay/raw-tree.ts'
import { isWhiteoutDevice } from '../paths/whiteout.ts'
import { StackTree } from './stack-tree.ts'

/**
 * Keeps the owners that files of a step's upper directory have in the layers below, where they differ.
 * Where files get no owners, a step sees all files as root's. Whether it would have kept the owner
 * of a file that it changed is unknown, so the owner is marked as presumed. A file is written even
 * without any owners: it records that the step saw such files.
 * @param lowers the layers below, in overlay form, topmost first
 */
export function presumeOwners(directory: string, lowers: readonly string[]): void {
  const lower = new StackTree(lowers)
  try {
    const upper = new RawTree(directory)
    try {
      const kept = KeptAttributes.of(directory) ?? new KeptAttributes()
      for (const [path, owner] of presumed(upper, lower)) kept.add(path, { owner })
      kept.save(directory)
    } finally {
      upper.close()
    }
  } finally {
    lower.close()
  }
}

/** A directory that hides the one below is new, and so is what it contains. */
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
    // A tar does not contain the root.
    if (path === '' || (uid === stat.uid && gid === stat.gid)) continue
    yield [path, { uid, gid, isOwnerPresumed: true }]
  }
}
