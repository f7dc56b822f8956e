import { plainPaths } from '#builder/files'
import { type TreeState, treeState } from '#builder/tree'
import { copiedStateFile } from '#cache'
import { type DiffId, type Digest, digestOf, type Name } from '#core'
import { parseDockerignore } from '#parser'
import type { WorkMeter } from '../limits/work-meter.ts'
import { baseOfCopiedState } from './copied-state.ts'
import type { FilesTask, TreeSpec } from './trees.ts'

/**
 * Of all that leads from files to the digest of a selection: what was digested in another way is not used.
 * To be raised when `Checksum`, or what is selected and visible, changes.
 */
const DERIVATION = 1

/** The state of all files that a step selects from a context. */
export interface SelectionState extends Pick<TreeState, 'changedAt' | 'recent'> {
  /** Of what is selected, and how. */
  readonly selection: Digest
  readonly state: Digest
  /** The path that is selected; `undefined` where there are several. */
  readonly top: Name | undefined
  /** See `TreeState`. */
  readonly folders: TreeState['folders']
  /** What `scannedTree` may show of them. */
  readonly shown: TreeState['folders']
}

/** The state of all files that actions select, where that is whole paths of a context; it yields now and then. */
export function* selectionState(
  { actions, sources, store }: FilesTask,
  meter?: WorkMeter,
): Generator<void, SelectionState | undefined> {
  const [source] = sources
  if (source?.kind !== 'context' || sources.length > 1) return undefined
  const paths = plainPaths(actions)
  if (paths === undefined) return undefined
  const { directory, ignore } = source
  const found = yield* treeState(directory, {
    ...{ paths, leftOut: store, onLook: (count) => meter?.look(count) },
    ignore: ignore === '' ? undefined : parseDockerignore(ignore),
  })
  if (found === undefined) return undefined
  const { digest: state, folders } = found
  return {
    ...{ ...found, state, folders },
    selection: selectionOf(source, actions),
    top: paths.length === 1 ? paths[0] : undefined,
    // Modes are not those of the disk there.
    shown: source.modes === 'git' ? new Map() : folders,
  }
}

function selectionOf(source: TreeSpec, actions: FilesTask['actions']): Digest {
  return digestOf(JSON.stringify([DERIVATION, source, actions]))
}

/** The layer of the copy that was made of a selection last; `undefined` where that is not known. */
export function lastCopyOf({ actions, sources, store }: FilesTask): DiffId | undefined {
  const [source] = sources
  if (source?.kind !== 'context' || sources.length > 1) return undefined
  return baseOfCopiedState(copiedStateFile(store, selectionOf(source, actions)))
}
