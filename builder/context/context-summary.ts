import type { ContextEntry } from './context-listing.ts'

/** Files and bytes of one top-level folder, or of those beside the folders. */
export interface FolderSize {
  /** `.` for the files at the top. */
  readonly path: string
  readonly files: number
  readonly bytes: number
}

const LARGEST = 10

/** Adds up what a context holds, in memory that does not grow with it. */
export class ContextSummary {
  /** Everything but folders. */
  files = 0
  directories = 0
  bytes = 0
  readonly #folders = new Map<string, { files: number; bytes: number }>()
  #largest: ContextEntry[] = []

  add(entry: ContextEntry): void {
    if (entry.type === 'directory') {
      this.directories++
      return
    }
    this.files++
    this.bytes += entry.size
    const slash = entry.path.indexOf('/')
    const top = slash < 0 ? '.' : entry.path.slice(0, slash)
    const folder = this.#folders.get(top) ?? { files: 0, bytes: 0 }
    folder.files++
    folder.bytes += entry.size
    this.#folders.set(top, folder)
    this.#rank(entry)
  }

  /** Top-level folders, the largest first. */
  folders(): readonly FolderSize[] {
    return [...this.#folders]
      .map(([path, folder]) => ({ path, ...folder }))
      .sort((a, b) => b.bytes - a.bytes || (a.path < b.path ? -1 : 1))
  }

  /** The ten largest files that hold something, the largest first. */
  largest(): readonly ContextEntry[] {
    return this.#largest
  }

  #rank(entry: ContextEntry): void {
    const smallest = this.#largest.at(-1)
    const isFull = this.#largest.length >= LARGEST
    if (entry.size === 0 || (isFull && smallest !== undefined && entry.size <= smallest.size))
      return
    this.#largest.push(entry)
    this.#largest.sort((a, b) => b.size - a.size)
    this.#largest = this.#largest.slice(0, LARGEST)
  }
}
