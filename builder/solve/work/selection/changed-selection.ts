import { contentOfText, listedContent } from '#builder/files'
import {
  changedTree,
  changesBetween,
  mergeRecords,
  scannedTree,
  type TreeChanges,
} from '#builder/tree'
import { copiedStateFile } from '#cache'
import { type DiffId, type Digest, joinName, type Tree } from '#core'
import { MOST_CHANGED, readCopiedState } from './copied-state.ts'
import type { SelectionState } from './selection-state.ts'
import type { FilesTask, OpenTrees } from './trees.ts'

/** A selection of which a copy was made when it was somewhat different. */
export interface ChangedSelection {
  /** Digest of what is selected now. */
  readonly content: Digest
  /** What that is taken of. */
  readonly text: string
  /** The layer of the copy, and what else that depends on. */
  readonly base: DiffId
  readonly basis: Digest
  readonly changes: TreeChanges
  /** The source, of which only what was changed is listed. */
  readonly source: Tree
}

/**
 * Finds what was changed since a selection was copied, and reads nothing else.
 * @returns `undefined` where that is much, or nothing was noted
 */
export function changedSelection(
  { actions, store }: FilesTask,
  found: SelectionState,
  { sources, few }: Pick<OpenTrees, 'sources' | 'few'>,
): ChangedSelection | undefined {
  const { selection, top, shown } = found
  const [tree] = sources
  const file = top === undefined ? undefined : copiedStateFile(store, selection)
  const earlier = file === undefined ? undefined : readCopiedState(file)
  if (tree === undefined || top === undefined || earlier?.selection !== selection) return undefined
  const changes = changesBetween(earlier, found, top)
  if (changes.changed.size > MOST_CHANGED) return undefined
  const source = changedTree(scannedTree(tree, shown), changes)
  const listed = listedContent(actions, source, few.read)
  if (listed?.path !== top) return undefined
  const text = mergeRecords(earlier.text, listed.records, (name) =>
    changes.isLeft(joinName(top, name)),
  )
  const { base, basis } = earlier
  return { content: contentOfText(text), text, base, basis, changes, source }
}
