import { rmSync } from 'node:fs'
import { finished } from '#builder/files'
import { type RewriteSinks, rewriteLayer, type TarRecipe } from '#builder/layer'
import { type Change, type DiffId, joinName, type Name } from '#core'
import { type ChangedSelection, changedSelection } from '../selection/changed-selection.ts'
import { type SelectionState, selectionState } from '../selection/selection-state.ts'
import { noteState, StateNotes } from '../selection/state-notes.ts'
import { type OpenTrees, openTrees } from '../selection/trees.ts'
import { basisOf, type Copied, type Copying, copyFrom } from './copy-files.ts'

/** A copy of which an earlier version was made, and where the differences go. */
export interface RecopyTask extends Copying {
  readonly sinks: RewriteSinks
  /** As in `CopyTask`. */
  readonly state: string | undefined
  /** Of which layer the state is: of the earlier one, or of the one that is made. */
  readonly stateOf: 'earlier' | 'made'
  /** What is noted of the earlier layer's tar. */
  readonly previous: string
  /** The earlier layer. */
  readonly base: DiffId
}

/** The differences of a copy from an earlier version. */
export interface RecopiedFiles extends Copied {
  /** Of the tar; absent where none is wanted. */
  readonly recipe: TarRecipe | undefined
}

/**
 * Performs the actions as `copyFiles`, but reads and writes only what an earlier layer has not. What is wanted
 * of a tar is made by `assembleTar`.
 * @returns `undefined` when nothing can be taken over
 */
export async function recopyFiles(task: RecopyTask): Promise<RecopiedFiles | undefined> {
  using trees = openTrees(task)
  const found = finished(selectionState(task))
  const changed = found && changedSelection(task, found, trees)
  const place = { path: task.state, basis: basisOf(task) }
  if (changed?.base !== task.base || changed.basis !== place.basis) {
    return await recopyAll(task, trees, found)
  }
  const copied = await recopyChanged(task, changed, trees)
  if (copied === undefined) return await recopyAll(task, trees, found)
  // That of the earlier layer is noted already.
  const isNoted = task.stateOf === 'made' && !trees.hasVolatileFiles()
  const { text } = changed
  return { ...copied, state: isNoted ? found && noteState(found, text, place) : undefined }
}

/** Everything is looked at. @param found how the context is, where that can be noted */
async function recopyAll(
  task: RecopyTask,
  trees: OpenTrees,
  found: SelectionState | undefined,
): Promise<RecopiedFiles | undefined> {
  const { previous, sinks, state: path, stateOf } = task
  const notes = found && new StateNotes(found, { path, basis: basisOf(task) })
  const differing = new Set<Name>()
  const taking = { ...task, onText: notes?.onText }
  const copied = await copyFrom(trees, taking, (changes, options, only) =>
    rewriteLayer(changes, sinks, {
      ...{ ...options, previous, isBelow: isBelow(trees) },
      onDifference: (path) => {
        if (only === undefined || (path !== only.to && !isInside(path, only.to))) return
        differing.add(moved(path, only.to, only.from))
      },
    }),
  )
  if (copied === undefined) return undefined
  const { written, ...known } = copied
  const others = stateOf === 'earlier' ? [...differing] : []
  const state = trees.hasVolatileFiles() ? undefined : notes?.write(known.content, others)
  return { ...known, recipe: written.recipe, state }
}

/**
 * Only what was changed since the earlier layer was made is looked at.
 * @returns `undefined` when more than that may be otherwise in the layer; the sinks are removed then
 */
async function recopyChanged(
  task: RecopyTask,
  { content, changes: { changed, isLeft }, source }: ChangedSelection,
  trees: OpenTrees,
): Promise<RecopiedFiles | undefined> {
  const { previous, sinks } = task
  const part = { ...trees, sources: [source], remember: trees.few.remember }
  const copied = await copyFrom(part, { ...task, content }, (changes, options, only) => {
    if (only === undefined) return undefined
    const { from, to } = only
    const expected = new ExpectedChanges([...changed, from].map((path) => moved(path, from, to)))
    const written = rewriteLayer(expected.among(changes), sinks, {
      ...{ ...options, previous, isBelow: isBelow(trees) },
      isLeft: (path) => isInside(path, to) && isLeft(moved(path, to, from)),
    })
    return expected.areMet ? written : undefined
  })
  if (copied !== undefined) return { ...copied, recipe: copied.written.recipe }
  for (const path of Object.values(sinks)) rmSync(path, { recursive: true, force: true })
  rmSync(task.temporary, { recursive: true, force: true })
  return undefined
}

/**
 * Changes that must be among those of a layer of which not everything is looked at: what the layers below have
 * already is not, and then more may be otherwise. Neither may they be names of a file that has others.
 */
class ExpectedChanges {
  readonly #missing: Set<Name>

  constructor(paths: readonly Name[]) {
    this.#missing = new Set(paths.filter((path) => path !== ''))
  }

  get areMet(): boolean {
    return this.#missing.size === 0
  }

  *among(changes: Iterable<Change>): Generator<Change> {
    for (const change of changes) {
      const { kind, path } = change
      const isOneName =
        kind === 'entry' && (change.stat.type === 'directory' || change.stat.nlink === 1)
      if (isOneName) this.#missing.delete(path)
      yield change
    }
  }
}

function isBelow({ root }: OpenTrees): (path: Name) => boolean {
  return (path) => root.lstat(path) !== undefined
}

function isInside(path: Name, folder: Name): boolean {
  return folder === '' || path.startsWith(`${folder}/`)
}

/** Where something is when the folder that it is in, or that it is, is elsewhere. */
function moved(path: Name, from: Name, to: Name): Name {
  const inside = from === '' ? path : (path.slice(from.length + 1) as Name)
  return inside === '' ? to : joinName(to, inside)
}
