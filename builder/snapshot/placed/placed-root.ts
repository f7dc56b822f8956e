import { existsSync, type Stats, statSync } from 'node:fs'
import { layerOwners, StackTree, writeFiles, writeLayer } from '#builder/layer'
import { fileRights, RootedDirectory } from '#builder/linux'
import { type EntryChange, ioError, joinName, type Name } from '#core'
import { awaitTick } from './clock.ts'
import { FileIndex, type Folder } from './file-index.ts'
import { FoundChanges } from './found-changes.ts'
import { type Kept, keptPaths, keptWhole, noLongerKept } from './kept-paths.ts'
import { addOutline, addReplaced, mergeOutline, type Outline } from './outline.ts'
import { partNames } from './parted-names.ts'
import { clearFolder, type KeptPath, namesIn, Placement, removeOthersAt } from './placement.ts'
import { type Renewal, renewalOf } from './renewal.ts'

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

/** A layer that is shown, known by its inode: a commit renames its directory. */
interface ShownLayer {
  readonly inode: string
  readonly directory: string
  /** Of a layer that was collected: what its directory has. */
  readonly outline?: Outline
}

/** What a root shows. */
interface Shown extends Placed {
  readonly layers: readonly ShownLayer[]
  readonly kept: Kept
  readonly index: FileIndex
  readonly root: Folder
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
   * Makes the directory show the merged view of layers (topmost first). What it has already stays; what
   * the layers do not have is removed.
   * @throws {TsbuildError} IO_FAILED, NO_SPACE, PERMISSION_DENIED, CANCELLED
   */
  place(lower: readonly string[]): Placed {
    const shown = this.#shown
    this.#shown = undefined
    try {
      const layers = lower.map(layerAt)
      const kept = keptPaths(this.#directory, this.#keep)
      this.#shown = this.#place(layers, kept, shown)
      return { hidden: this.#shown.hidden }
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
    const shown = this.#shown
    if (shown === undefined) throw new Error('what the root shows is unknown')
    this.#shown = undefined
    try {
      this.#collect(upper, shown)
      const outline: Outline = new Map()
      addOutline(outline, upper)
      this.#shown = { ...shown, layers: [{ ...layerAt(upper), outline }, ...shown.layers] }
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
    const touched = shown === undefined ? undefined : touchedBy(layers, shown)
    if (shown !== undefined && touched !== undefined) {
      for (const path of noLongerKept(shown.kept, kept)) addReplaced(touched, path)
    }
    if (shown !== undefined && touched?.size === 0 && isSameStack(layers, shown.layers)) {
      return { ...shown, layers, kept }
    }
    const tree = new StackTree(layers.map(({ directory }) => directory))
    const root = new RootedDirectory(this.#directory)
    try {
      const placement = new Placement(tree, root)
      const target = { root, kept, placement }
      if (shown === undefined || touched === undefined) return this.#placeAll(target, layers)
      return this.#renew(
        target,
        { ...shown, layers },
        renewalOf(shown.root, tree, { touched, kept }),
      )
    } finally {
      root.close()
      tree.close()
    }
  }

  #placeAll({ root, kept, placement }: Target, layers: readonly ShownLayer[]): Shown {
    const at = { path: '' as Name, kept }
    removeOthersAt(root, at)
    this.#write(placement.entriesAt(at))
    const index = new FileIndex()
    const folder = indexFolder(root, index, at)
    awaitTick(root, index.newest)
    index.set(folder.row, statOf(root))
    return { layers, kept, index, root: folder, hidden: placement.hiddenBy(kept) }
  }

  #renew({ root, kept, placement }: Target, shown: Shown, renewal: Renewal): Shown {
    const { index } = shown
    for (const { path, name, parent, kept } of renewal.replaced) {
      removeOthersAt(root, { path, kept })
      const known = parent.entries.get(name)
      if (known !== undefined) index.delete(known)
      parent.entries.delete(name)
    }
    for (const { path } of renewal.folders) clearFolder(root, path)
    this.#write(entriesOf(renewal, placement))
    for (const { path, folder } of renewal.folders) {
      const stats = root.lstat(path)
      if (stats !== undefined) index.set(folder.row, stats)
    }
    for (const { path, name, parent, kept } of renewal.replaced) {
      const stats = root.lstat(path)
      if (stats === undefined) continue
      const entry = stats.isDirectory()
        ? indexFolder(root, index, { path, kept })
        : index.add(stats)
      parent.entries.set(name, entry)
    }
    awaitTick(root, index.newest)
    index.set(shown.root.row, statOf(root))
    return { ...shown, kept, hidden: placement.hiddenBy(kept) }
  }

  #write(entries: Iterable<EntryChange>): void {
    const owners = fileRights().givesOwners ? 'keep' : 'drop'
    writeFiles(entries, this.#directory, { owners, onWarning: this.#onWarning })
  }

  #collect(upper: string, { index, root: folder }: Shown): void {
    const kept = keptPaths(this.#directory, this.#keep)
    const root = new RootedDirectory(this.#directory)
    try {
      const found = new FoundChanges(root, index)
      writeLayer(found.changes(folder, kept), { directory: upper }, { owners: layerOwners() })
      const changed = partNames(root, found.sharedNames, (entries) => this.#write(entries))
      for (const path of changed) indexPath(root, index, folder, path)
      awaitTick(root, index.newest)
      index.set(folder.row, statOf(root))
    } finally {
      root.close()
    }
  }
}

/** The directory that layers are placed in. */
interface Target {
  readonly root: RootedDirectory
  readonly kept: Kept
  readonly placement: Placement
}

function layerAt(directory: string): ShownLayer {
  const { dev, ino } = statSync(directory, { bigint: true })
  return { inode: `${dev}:${ino}`, directory }
}

/**
 * The names about which layers decide that only one of the stacks has. `undefined` when it cannot be
 * known: a layer is no longer where it was.
 */
function touchedBy(layers: readonly ShownLayer[], shown: Shown): Outline | undefined {
  const [added, dropped] = withoutCommonEnd(layers, shown.layers)
  const touched: Outline = new Map()
  for (const layer of added) addOutline(touched, layer.directory)
  for (const { inode, directory, outline } of dropped) {
    if (outline !== undefined) mergeOutline(touched, outline)
    else if (findLayer(directory)?.inode === inode) addOutline(touched, directory)
    else return undefined
  }
  return touched
}

function findLayer(directory: string): ShownLayer | undefined {
  return existsSync(directory) ? layerAt(directory) : undefined
}

/** What is left of both stacks without the layers that both have at their lower end. */
function withoutCommonEnd(
  one: readonly ShownLayer[],
  other: readonly ShownLayer[],
): readonly [readonly ShownLayer[], readonly ShownLayer[]] {
  let common = 0
  while (isSameLayer(one.at(-1 - common), other.at(-1 - common))) common += 1
  return [one.slice(0, one.length - common), other.slice(0, other.length - common)]
}

function isSameStack(one: readonly ShownLayer[], other: readonly ShownLayer[]): boolean {
  return one.length === other.length && one.every((layer, i) => isSameLayer(layer, other[i]))
}

function isSameLayer(one: ShownLayer | undefined, other: ShownLayer | undefined): boolean {
  return one !== undefined && one.inode === other?.inode
}

function* entriesOf(renewal: Renewal, placement: Placement): Generator<EntryChange> {
  for (const { path } of renewal.folders) yield* placement.folderAt(path)
  for (const replaced of renewal.replaced) yield* placement.entriesAt(replaced)
}

/** Takes the marks of a directory with all that is in it. */
function indexFolder(root: RootedDirectory, index: FileIndex, at: KeptPath): Folder {
  const top: Folder = { row: index.add(statOf(root, at.path)), entries: new Map() }
  const left = [{ ...at, folder: top }]
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    for (const name of namesIn(root, next.path)) {
      const kept = next.kept?.get(name)
      if (kept === keptWhole) continue
      const path = joinName(next.path, name)
      const stats = statOf(root, path)
      const row = index.add(stats)
      if (!stats.isDirectory()) {
        next.folder.entries.set(name, row)
        continue
      }
      const folder: Folder = { row, entries: new Map() }
      next.folder.entries.set(name, folder)
      left.push({ path, kept, folder })
    }
  }
  return top
}

/** Takes the marks of something that has some already. */
function indexPath(root: RootedDirectory, index: FileIndex, shown: Folder, path: Name): void {
  let entry: number | Folder | undefined = shown
  for (const name of path === '' ? [] : (path.split('/') as Name[])) {
    entry = typeof entry === 'object' ? entry.entries.get(name) : undefined
  }
  if (entry === undefined) throw new Error(`${path} has no marks`)
  index.set(typeof entry === 'object' ? entry.row : entry, statOf(root, path))
}

function statOf(root: RootedDirectory, path: Name = '' as Name): Stats {
  const stats = root.lstat(path)
  if (stats === undefined) throw new Error(`nothing is at ${path}`)
  return stats
}
