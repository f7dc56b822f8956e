import { FileFacts, type RootedDirectory } from '#builder/linux'
import { joinName, type Name } from '#core'
import type { FileIndex, Folder } from './file-index.ts'
import { keptWhole } from './kept-paths.ts'
import { type KeptPath, namesIn } from './placement.ts'

/** A directory whose marks are taken. */
interface MarkedFolder extends KeptPath {
  readonly folder: Folder
}

/** Takes the marks of files of a root. */
export class Marker {
  readonly #root: RootedDirectory
  readonly #index: FileIndex
  readonly #facts = new FileFacts()

  constructor(root: RootedDirectory, index: FileIndex) {
    this.#root = root
    this.#index = index
  }

  /** Of what is at a path, with everything below; `undefined`: nothing is there. */
  entryAt(at: KeptPath): number | Folder | undefined {
    if (!this.#read(at.path)) return undefined
    const row = this.#index.add(this.#facts)
    if (!this.#facts.is('directory')) return row
    const top: Folder = { row, entries: new Map() }
    const left: MarkedFolder[] = [{ ...at, folder: top }]
    for (let next = left.pop(); next !== undefined; next = left.pop()) this.#markNames(next, left)
    return top
  }

  /** Takes marks anew, of a path that had some, without what is below. */
  renew(path: Name, entry: number | Folder): void {
    if (!this.#read(path)) throw new Error(`nothing is at ${path}`)
    this.#index.set(typeof entry === 'number' ? entry : entry.row, this.#facts)
  }

  #markNames({ path, folder, kept }: MarkedFolder, left: MarkedFolder[]): void {
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
      left.push({ path: joinName(path, name), kept: keptBelow, folder: below })
    }
  }

  #read(path: Name): boolean {
    const slash = path.lastIndexOf('/')
    const directory = this.#root.directory(path.slice(0, Math.max(slash, 0)) as Name)
    const name = path === '' ? '.' : path.slice(slash + 1)
    return directory !== undefined && this.#facts.read(directory, name as Name)
  }
}
