import { FileFacts, type RootedDirectory } from '#builder/linux'
import { joinName, type Name } from '#core'
import type { FileIndex, Folder } from './file-index.ts'
import { keptWhole } from './kept-paths.ts'
import type { LockedFiles } from './locked-files.ts'
import { type KeptPath, namesIn } from './placement.ts'

/** A directory whose marks are taken. */
interface MarkedFolder extends KeptPath {
  readonly folder: Folder
  readonly mode: number
}

/** Takes the marks of files of a root. */
export class Marker {
  readonly #root: RootedDirectory
  readonly #index: FileIndex
  readonly #locked: LockedFiles
  readonly #facts = new FileFacts()

  constructor(root: RootedDirectory, index: FileIndex, locked: LockedFiles) {
    this.#root = root
    this.#index = index
    this.#locked = locked
  }

  /** Of what is at a path, with everything below; `undefined`: nothing is there. */
  entryAt(at: KeptPath): number | Folder | undefined {
    if (!this.#read(at.path)) return undefined
    const row = this.#index.add(this.#facts)
    if (!this.#facts.is('directory')) return row
    const top: Folder = { row, entries: new Map() }
    const left: MarkedFolder[] = [{ ...at, folder: top, mode: this.#facts.mode }]
    for (let next = left.pop(); next !== undefined; next = left.pop()) this.#markNames(next, left)
    return top
  }

  /** Takes marks anew, of a path that had some, without what is below. */
  renew(path: Name, entry: number | Folder): void {
    if (!this.#read(path)) throw new Error(`nothing is at ${path}`)
    this.#index.set(typeof entry === 'number' ? entry : entry.row, this.#facts)
  }

  /** The same for a directory, in which others are going to be renewed. */
  renewFolder(path: Name, folder: Folder): void {
    this.renew(path, folder)
    this.#locked.unlock(path, this.#facts.mode)
  }

  #markNames({ path, folder, kept, mode }: MarkedFolder, left: MarkedFolder[]): void {
    this.#locked.unlock(path, mode)
    const names = namesIn(this.#root, path)
    const directory = this.#root.directory(path)
    for (const name of names) {
      const keptBelow = kept?.get(name)
      if (keptBelow === keptWhole || directory === undefined) continue
      if (!this.#facts.read(directory, name)) continue
      const row = this.#index.add(this.#facts)
      if (!this.#facts.is('directory')) {
        folder.entries.set(name, row)
        continue
      }
      const below: Folder = { row, entries: new Map() }
      folder.entries.set(name, below)
      const { mode } = this.#facts
      left.push({ path: joinName(path, name), kept: keptBelow, folder: below, mode })
    }
  }

  #read(path: Name): boolean {
    const slash = path.lastIndexOf('/')
    const directory = this.#root.directory(path.slice(0, Math.max(slash, 0)) as Name)
    const name = path === '' ? '.' : path.slice(slash + 1)
    return directory !== undefined && this.#facts.read(directory, name as Name)
  }
}
