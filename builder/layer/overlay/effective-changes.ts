import type { Change, Tree } from '#core'
import { hasEqualRights, isUnchanged, PendingDirectories } from './unchanged.ts'

/** A change, and where it was found. */
export interface FoundChange {
  /** Directories come before what is in them. */
  readonly change: Change
  /** The layers below are hidden in its directory: what only they have is a deletion. */
  readonly isHidden: boolean
}

/**
 * The changes, in their order, that change what the layers below show: no equal files, no deletions of what
 * is not there, and no equal directories in which nothing changes.
 * @param lower the merged view of the layers below
 */
export function* effectiveChanges(
  found: Iterable<FoundChange>,
  lower: Tree,
): Generator<Change, void, undefined> {
  const pending = new PendingDirectories()
  for (const { change, isHidden } of found) {
    const { kind, path } = change
    if (kind === 'whiteout') {
      if (lower.lstat(path) !== undefined) yield* pending.before(change)
    } else if (kind === 'entry' && change.stat.type === 'directory') {
      if (hasEqualRights(lower.lstat(path), change.stat)) pending.hold(change)
      else yield* pending.before(change)
    } else if (kind === 'opaque' || isHidden || !isUnchanged(change, lower)) {
      yield* pending.before(change)
    }
  }
}
