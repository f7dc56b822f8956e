import { type Descriptor, type Digest, TsbuildError } from '#core'
import type { BlobStore } from './blobs/blob-store.ts'
import { lock } from './filesystem/file-lock.ts'
import { type Layout, readIfThere } from './filesystem/layout.ts'
import type { Presence } from './filesystem/presence.ts'
import { replaceFile, setAside } from './filesystem/replace-file.ts'
import {
  type Entry,
  INDEX,
  isUnnamed,
  type NamedImage,
  parse,
  serialize,
  toEntry,
  toImage,
  type UnnamedImage,
  withoutName,
  withoutRepetition,
} from './image-entries.ts'
import type { Database } from './records/database.ts'

/** What an entry of the index leads to. */
export interface NameTarget {
  readonly name: string | undefined
  /** As it is written: of any algorithm. */
  readonly digest: string
}

/** How an image gets its names. */
export interface SetNameOptions {
  /** When the image was made. */
  readonly createdAt?: Date | undefined
  /** What becomes of an image that loses its last name by this. Default: `forgotten`. */
  readonly replaced?: 'forgotten' | 'kept' | undefined
}

/** Every canonical reference, and nothing that could upset a terminal or a path. */
const NAME = /^[A-Za-z0-9][\w.:@+/-]{0,511}$/

/** The names of a store: its `index.json`. Spec: image-spec v1.1 image-layout.md#indexjson-file */
export class ImageNames {
  readonly #layout: Layout
  readonly #presence: Presence
  readonly #database: Database
  readonly #blobs: BlobStore

  constructor(
    layout: Layout,
    services: { presence: Presence; database: Database; blobs: BlobStore },
  ) {
    this.#layout = layout
    this.#presence = services.presence
    this.#database = services.database
    this.#blobs = services.blobs
  }

  /** Ordered by name. @throws {TsbuildError} STORE_INVALID */
  list(): readonly NamedImage[] {
    return this.#read()
      .flatMap((entry) => {
        const { name } = entry
        const image = name === undefined ? undefined : toImage(entry)
        return name === undefined || image === undefined ? [] : [{ name, ...image }]
      })
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** The images that are kept without a name. @throws {TsbuildError} STORE_INVALID */
  unnamed(): readonly UnnamedImage[] {
    return this.#read().flatMap((entry) => {
      return entry.name === undefined ? (toImage(entry) ?? []) : []
    })
  }

  /** The image of a name. What it leads to stays until this process ends. */
  get(name: string): NamedImage | undefined {
    for (let last: string | undefined; ; ) {
      const found = this.list().find((image) => image.name === name)
      const { digest } = found?.descriptor ?? {}
      // Looking it up pins it. Gone: the name may have been given away, and the old image removed, in between.
      const isThere = digest === undefined || this.#blobs.stat(digest) !== undefined
      if (isThere || digest === last) return found
      last = digest
    }
  }

  /**
   * The digests that entries of the index lead to, those of other tools as well, each with its name.
   * @throws {TsbuildError} STORE_INVALID when what they are cannot be found out
   */
  targets(): readonly NameTarget[] {
    const text = readIfThere(this.#layout.index)
    const entries = parse(text) ?? this.#lastKnown()
    if (text !== undefined && entries === undefined) {
      throw new TsbuildError(`${this.#layout.index} cannot be read`, {
        code: 'STORE_INVALID',
        hint: 'which blobs are images is not known, so none is removed: restore the file, or remove it',
      })
    }
    return (entries ?? []).flatMap(({ name, fields: { digest } }) =>
      digest === undefined ? [] : [{ name, digest }],
    )
  }

  /**
   * Gives an image a name, taking it from another one if need be. Blobs are written to the disk
   * before, the name when this returns; the same name for the same image costs nothing, and keeps its annotations.
   * @throws {TsbuildError} NOT_FOUND when the manifest is not in the store, REFERENCE_INVALID
   */
  async set(name: string, descriptor: Descriptor, options: SetNameOptions = {}): Promise<void> {
    if (!NAME.test(name)) {
      throw new TsbuildError(`invalid image name ${JSON.stringify(name.slice(0, 300))}`, {
        code: 'REFERENCE_INVALID',
      })
    }
    await this.#checkPresence(descriptor, `name ${name}`)
    const { createdAt, replaced } = options
    await this.#update((entries) => {
      const notes = entries.flatMap((one) => (one.name === name ? notesFor(descriptor, one) : []))
      const annotations = { ...notes[0], ...descriptor.annotations }
      const named = toEntry(name, { descriptor: { ...descriptor, annotations }, createdAt })
      const others = entries.filter((one) => one.name !== name && !isUnnamed(one, descriptor))
      const earlier = replaced === 'kept' ? entries.filter((one) => one.name === name) : []
      return withoutRepetition([...others, named], earlier.flatMap(withoutName))
    })
  }

  /**
   * Keeps an image that has no name. Nothing happens where it has one.
   * @throws {TsbuildError} NOT_FOUND when the manifest is not in the store
   */
  async keep(
    descriptor: Descriptor,
    options: Pick<SetNameOptions, 'createdAt'> = {},
  ): Promise<void> {
    await this.#checkPresence(descriptor, 'keep an image')
    const kept = toEntry(undefined, { descriptor, ...options })
    await this.#update((entries) => withoutRepetition(entries, [kept]))
  }

  /**
   * False when there was no such name. Blobs stay.
   * @param unnamed what becomes of an image that has lost its last name
   */
  async remove(name: string, unnamed: 'forgotten' | 'kept' = 'forgotten'): Promise<boolean> {
    let found = false
    await this.#update((entries) => {
      const [rest, removed] = parted(entries, (entry) => entry.name !== name)
      found = removed.length > 0
      return withoutRepetition(rest, unnamed === 'kept' ? removed.flatMap(withoutName) : [])
    })
    return found
  }

  /** As `remove`, for images that are kept without a name. */
  async forget(digest: Digest): Promise<boolean> {
    let found = false
    await this.#update((entries) => {
      const [rest, removed] = parted(entries, (entry) => !isUnnamed(entry, { digest }))
      found = removed.length > 0
      return rest
    })
    return found
  }

  async #checkPresence(descriptor: Descriptor, doing: string): Promise<void> {
    if (!(await this.#blobs.has(descriptor))) {
      throw new TsbuildError(`${doing}: its manifest ${descriptor.digest} is not in the store`, {
        code: 'NOT_FOUND',
      })
    }
    await this.#blobs.sync()
  }

  /** Sets an unreadable index aside and writes the last one that was known. */
  recover(): void {
    const text = readIfThere(this.#layout.index)
    if (text !== undefined && parse(text) !== undefined) return
    if (text !== undefined) setAside(this.#layout, this.#layout.index)
    this.#write(serialize(this.#read()))
  }

  async #update(change: (entries: readonly Entry[]) => readonly Entry[]): Promise<void> {
    const isDone = () => serialize(change(this.#read())) === readIfThere(this.#layout.index)
    if (isDone()) return
    using _ = await lock(this.#layout.lock)
    this.recover()
    const text = serialize(change(this.#read()))
    this.#write(text)
    const sql = 'INSERT OR REPLACE INTO state (name, value) VALUES (?, ?)'
    this.#database.run(sql, INDEX, text)
  }

  /** What the index holds, or held when it was last written by this program. */
  #read(): readonly Entry[] {
    return parse(readIfThere(this.#layout.index)) ?? this.#lastKnown() ?? []
  }

  #lastKnown(): readonly Entry[] | undefined {
    return parse(writtenIndex(this.#database))
  }

  #write(text: string): void {
    replaceFile(this.#layout.index, text, { layout: this.#layout, presence: this.#presence })
  }
}

/** The annotations that a name has already for the same image. */
function notesFor({ digest }: Descriptor, entry: Entry): readonly Descriptor['annotations'][] {
  const known = toImage(entry)?.descriptor
  return known?.digest === digest ? [known.annotations] : []
}

type Parted = readonly [fitting: readonly Entry[], others: readonly Entry[]]

function parted(entries: readonly Entry[], fits: (entry: Entry) => boolean): Parted {
  return [entries.filter(fits), entries.filter((entry) => !fits(entry))]
}

/** The index as it was last written by this program. */
export function writtenIndex(database: Database): string | undefined {
  const row = database.get('SELECT value FROM state WHERE name = ?', INDEX)
  return typeof row?.value === 'string' ? row.value : undefined
}

/** Whether a text is an index that can be read. */
export function isIndex(text: string): boolean {
  return parse(text) !== undefined
}
