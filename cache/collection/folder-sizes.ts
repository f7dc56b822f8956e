import { lstatSync } from 'node:fs'
import { relative } from 'node:path'
import { isNoSpace } from '../filesystem/failure.ts'
import type { Layout } from '../filesystem/layout.ts'
import type { Database } from '../records/database.ts'
import { diskUse } from './disk-use.ts'

/** A folder that was measured. */
export interface MeasuredFolder {
  readonly bytes: number
  /** Milliseconds since the epoch: what was changed since then is not in it. */
  readonly measured: number
}

/** What folders of a store take on the disk, kept in the database: a layer's is walked once in its life. */
export class FolderSizes {
  readonly #layout: Layout
  readonly #database: Database
  readonly #fresh = new Map<string, MeasuredFolder>()
  #known: ReadonlyMap<string, MeasuredFolder> | undefined

  constructor(layout: Layout, database: Database) {
    this.#layout = layout
    this.#database = database
  }

  /** As it was measured last. */
  known(path: string): MeasuredFolder | undefined {
    this.#known ??= this.#read()
    const name = this.#nameOf(path)
    return this.#fresh.get(name) ?? this.#known.get(name)
  }

  /** Measures a file or a folder anew. What a signal has stopped, and single files, are not remembered. */
  async measure(path: string, signal: AbortSignal | undefined): Promise<number> {
    const measured = Date.now()
    const bytes = await diskUse(path, { signal })
    const isFolder = lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true
    if (isFolder && signal?.aborted !== true)
      this.#fresh.set(this.#nameOf(path), { bytes, measured })
    return bytes
  }

  /** Remembers what was measured; of `paths`, which are all that there are, and of no others. */
  flush(paths: readonly string[]): void {
    try {
      this.#database.transaction(() =>
        this.#write(new Set(paths.map((path) => this.#nameOf(path)))),
      )
    } catch (cause) {
      // A full disk: it is measured again.
      if (!isNoSpace(cause)) throw cause
    }
  }

  #write(names: ReadonlySet<string>): void {
    for (const { path } of this.#database.all('SELECT path FROM sizes')) {
      if (!names.has(String(path)))
        this.#database.run('DELETE FROM sizes WHERE path = ?', String(path))
    }
    for (const [name, { bytes, measured }] of this.#fresh) {
      this.#database.run(
        'INSERT OR REPLACE INTO sizes (path, bytes, measured) VALUES (?, ?, ?)',
        ...[name, bytes, measured],
      )
    }
  }

  #read(): ReadonlyMap<string, MeasuredFolder> {
    const rows = this.#database.all('SELECT * FROM sizes')
    return new Map(
      rows.map(({ path, bytes, measured }) => [
        String(path),
        { bytes: Number(bytes), measured: Number(measured) },
      ]),
    )
  }

  #nameOf(path: string): string {
    return relative(this.#layout.root, path)
  }
}
