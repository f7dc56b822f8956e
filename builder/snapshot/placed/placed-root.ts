import {
  clampChange,
  DirectoryWriter,
  effectiveChanges,
  type FoundChange,
  layerOwners,
  StackTree,
  type WrittenTar,
  writeFiles,
  writeLayer,
  writeTar,
} from '#builder/layer'
import { fileRights, RootedDirectory } from '#builder/linux'
import { type EntryChange, ioError, type Name } from '#core'
import { awaitTick } from './clock.ts'
import { FileIndex, type Folder } from './file-index.ts'
import { FoundChanges } from './found-changes.ts'
import { type Kept, keptPaths, noLongerKept } from './kept-paths.ts'
import { LockedFiles } from './locked-files.ts'
import { Marker } from './marker.ts'
import { addOutline, addReplaced, type Outline, outlineOf } from './outline.ts'
import { partNames } from './parted-names.ts'
import { clearFolder, Placement, removeOthersAt } from './placement.ts'
import { type Renewal, renewalOf } from './renewal.ts'
import { differingNames, isSameStack, layerAt, type ShownLayer } from './shown-layers.ts'

/** How layers are shown. */
export interface PlacedRootOptions {
  /**
   * Absolute paths inside that are never touched nor seen. What is mounted below the directory is kept,
   * too.
   */
  readonly keep?: readonly string[]
  /** Called for what could not be made, e.g. device files without the right to make them. */
  readonly onWarning?: (message: string) => void
}

/** What came of showing a stack. */
export interface Placed {
  /** Paths of the layers that are not shown, because something is kept there. */
  readonly hidden: readonly Name[]
}

/** What a root shows. */
interface Shown extends Placed {
  readonly layers: readonly ShownLayer[]
  readonly kept: Kept
  readonly index: FileIndex
  readonly root: Folder
  /** Changes from now on have other times than what is known. */
  readonly isSettled: boolean
}

/**
 * A directory that shows a stack of layers as plain files, and finds what was changed in it since. For
 * where nothing can be mounted. Synchronous, for a worker thread; nothing else may change the directory
 * during a call. After a failure what it shows is unknown, and the next stack is placed from nothing.
 */
export class PlacedRoot {
  readonly #directory: string
  readonly #keep: readonly string[]
  readonly #onWarning: (message: string) => void
  #shown: Shown | undefined

  /** @param directory must exist; what it has is removed when the first stack is placed */
  constructor(directory: string, options: PlacedRootOptions = {}) {
    const { keep = [], onWarning = () => {} } = options
    this.#directory = directory
    this.#keep = keep
    this.#onWarning = onWarning
  }

  /**
   * Makes the directory show the merged view of layers (topmost first), before each step. What it has
   * already stays; what the layers do not have is removed.
   * @throws {TsbuildError} IO_FAILED, NO_SPACE, PERMISSION_DENIED, CANCELLED
   */
  place(lower: readonly string[]): Placed {
    const shown = this.#shown
    this.#shown = undefined
    try {
      const layers = lower.map(layerAt)
      const kept = keptPaths(this.#directory, this.#keep)
      const placed = this.#place(layers, kept, shown)
      // Not right after collecting: until the next step the clock has moved on by itself, mostly.
      if (!placed.isSettled) awaitTick(this.#directory, placed.index.newest)
      this.#shown = { ...placed, isSettled: true }
      return { hidden: placed.hidden }
    } catch (cause) {
      throw ioError(`place layers in ${this.#directory}`, cause)
    }
  }

  /**
   * Writes what was changed since to a new directory, in overlay form, as an overlay would have it in its
   * upper directory. The root then shows this layer on top of the others.
   * @throws {TsbuildError} IO_FAILED, NO_SPACE, PERMISSION_DENIED, CANCELLED
   */
  collect(upper: string): void {
    this.#take(upper, (shown) => {
      this.#changes(shown, undefined, (found) => {
        const changes = Iterator.from(found).map(({ change }) => change)
        writeLayer(changes, { directory: upper }, { owners: layerOwners() })
      })
      const outline: Outline = new Map()
      addOutline(outline, upper)
      return outline
    })
  }

  /**
   * The same as the tar that such a directory is packed to.
   * @param options no entry is newer than `maxMtime`, in milliseconds; the files themselves may be
   * @throws {TsbuildError} LAYER_INVALID for names that no tar can hold, else as `collect`
   */
  pack(tar: string, { maxMtime }: { readonly maxMtime?: number | undefined } = {}): WrittenTar {
    let written: WrittenTar | undefined
    this.#take(tar, (shown) => {
      const lower = new StackTree(shown.layers.map(({ path }) => path))
      try {
        const outline: Outline = new Map()
        this.#changes(shown, lower, (found) => {
          // What differs in its time alone may be equal then.
          const clamped = Iterator.from(outlineOf(found, outline)).map(
            ({ change, isHidden }): FoundChange => ({
              change: clampChange(change, maxMtime),
              isHidden,
            }),
          )
          written = writeTar(effectiveChanges(clamped, lower), tar)
        })
        return outline
      } finally {
        lower.close()
      }
    })
    if (written === undefined) throw new Error('no tar was written')
    return written
  }

  /** @param take makes the layer at `path`, and returns its outline */
  #take(path: string, take: (shown: Shown) => Outline): void {
    const shown = this.#shown
    if (shown === undefined) throw new Error('what the root shows is unknown')
    this.#shown = undefined
    try {
      const outline = take(shown)
      const layers = [{ ...layerAt(path), outline }, ...shown.layers]
      this.#shown = { ...shown, layers, isSettled: false }
    } catch (cause) {
      throw ioError(`find the changes in ${this.#directory}`, cause)
    }
  }

  /** Says that the layer that was collected last has been changed since: the next stack gets it anew. */
  forgetCollected(): void {
    const [top, ...below] = this.#shown?.layers ?? []
    if (this.#shown === undefined || top === undefined) return
    this.#shown = { ...this.#shown, layers: [{ ...top, inode: '' }, ...below] }
  }

  #place(layers: readonly ShownLayer[], kept: Kept, shown: Shown | undefined): Shown {
    const touched = shown === undefined ? undefined : touchedNames(shown, layers, kept)
    if (shown !== undefined && touched?.size === 0 && isSameStack(layers, shown.layers)) {
      return { ...shown, layers, kept }
    }
    const tree = new StackTree(layers.map(({ path }) => path))
    const owners = ownersOfFiles()
    const onWarning = this.#onWarning
    const writer = new DirectoryWriter(this.#directory, { owners, isBare: true, onWarning })
    try {
      const target = { writer, kept, placement: new Placement(tree, { writer, owners }) }
      if (shown === undefined || touched === undefined) return placeAll(target, layers)
      return renew(target, { ...shown, layers }, renewalOf(shown.root, tree, { touched, kept }))
    } finally {
      writer.close()
      tree.close()
    }
  }

  #write(entries: Iterable<EntryChange>): void {
    writeFiles(entries, this.#directory, { owners: ownersOfFiles(), onWarning: this.#onWarning })
  }

  /** Has the changes written, and makes the root fit for the next step. */
  #changes(
    { index, root: folder }: Shown,
    lower: StackTree | undefined,
    write: (found: Iterable<FoundChange>) => void,
  ): void {
    const kept = keptPaths(this.#directory, this.#keep)
    const root = new RootedDirectory(this.#directory)
    try {
      const locked = new LockedFiles(root)
      const found = new FoundChanges({ root, index, locked, lower })
      write(found.changes(folder, kept))
      const makeFiles = (entries: readonly EntryChange[]) => this.#write(entries)
      const changed = partNames({ root, locked }, found.sharedNames, makeFiles)
      const marker = new Marker(root, index, locked)
      for (const path of changed) marker.renew(path, entryAt(folder, path))
      lockAgain({ root, index, locked }, folder)
    } finally {
      root.close()
    }
  }
}

/** A root whose marks are taken. */
interface MarkedRoot {
  readonly root: RootedDirectory
  readonly index: FileIndex
  readonly locked: LockedFiles
}

/** The directory that layers are placed in. */
interface Target {
  readonly writer: DirectoryWriter
  readonly kept: Kept
  readonly placement: Placement
}

function placeAll({ writer, kept, placement }: Target, layers: readonly ShownLayer[]): Shown {
  const { root } = writer
  const at = { path: '' as Name, kept }
  removeOthersAt(root, at)
  placement.place(at)
  writer.finish()
  const index = new FileIndex()
  const locked = new LockedFiles(root)
  const folder = new Marker(root, index, locked).entryAt(at)
  if (typeof folder !== 'object') throw new Error('the root is not a directory')
  const hidden = placement.hiddenBy(kept)
  lockAgain({ root, index, locked }, folder)
  return { layers, kept, index, root: folder, hidden, isSettled: false }
}

function renew({ writer, kept, placement }: Target, shown: Shown, renewal: Renewal): Shown {
  const { root } = writer
  const { index } = shown
  for (const { path } of renewal.folders) clearFolder(root, path)
  for (const { path, name, parent, kept } of renewal.replaced) {
    removeOthersAt(root, { path, kept })
    const known = parent.entries.get(name)
    if (known !== undefined) index.delete(known)
    parent.entries.delete(name)
  }
  for (const { path } of renewal.folders) placement.placeFolder(path)
  for (const replaced of renewal.replaced) placement.place(replaced)
  writer.finish()
  const locked = new LockedFiles(root)
  const marker = new Marker(root, index, locked)
  for (const { path, folder } of renewal.folders) marker.renewFolder(path, folder)
  for (const { path, name, parent, kept } of renewal.replaced) {
    const entry = marker.entryAt({ path, kept })
    if (entry !== undefined) parent.entries.set(name, entry)
  }
  const hidden = placement.hiddenBy(kept)
  lockAgain({ root, index, locked }, shown.root)
  return { ...shown, kept, hidden, isSettled: false }
}

function ownersOfFiles(): 'keep' | 'drop' {
  return fileRights().givesOwners ? 'keep' : 'drop'
}

/** The names that differ, from layers and from what was kept; `undefined` when they cannot be known. */
function touchedNames(
  shown: Shown,
  layers: readonly ShownLayer[],
  kept: Kept,
): Outline | undefined {
  const names = differingNames(layers, shown.layers)
  if (names === undefined) return undefined
  for (const path of noLongerKept(shown.kept, kept)) addReplaced(names, path)
  return names
}

/** Ends work on a root. */
function lockAgain({ root, index, locked }: MarkedRoot, shown: Folder): void {
  const marker = new Marker(root, index, locked)
  locked.lockAgain((path) => marker.renew(path, entryAt(shown, path)))
}

/** What is known of a path that is shown. */
function entryAt(shown: Folder, path: Name): number | Folder {
  let entry: number | Folder | undefined = shown
  for (const name of path === '' ? [] : (path.split('/') as Name[])) {
    entry = typeof entry === 'object' ? entry.entries.get(name) : undefined
  }
  if (entry === undefined) throw new Error(`${path} has no marks`)
  return entry
}
