import {
  DESCRIPTOR_SHAPE,
  type Descriptor,
  type DescriptorFields,
  MEDIA_TYPES,
  readDocument,
  shapes,
  TsbuildError,
  toDescriptor,
} from '#core'
import type { BlobStore } from './blobs/blob-store.ts'
import { lock } from './filesystem/file-lock.ts'
import { type Layout, readIfThere } from './filesystem/layout.ts'
import type { Presence } from './filesystem/presence.ts'
import { replaceFile, setAside } from './filesystem/replace-file.ts'
import type { Database } from './records/database.ts'

/** An image of the local store. */
export interface NamedImage {
  /** As it was set: a canonical reference such as `docker.io/library/hello:latest`. */
  readonly name: string
  readonly descriptor: Descriptor
  readonly createdAt?: Date
}

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
}

/** What skopeo, podman and umoci look for, the whole name; containerd has an annotation of its own. */
const REF_NAME = 'org.opencontainers.image.ref.name'
const CONTAINERD_NAME = 'io.containerd.image.name'
const CREATED = 'org.opencontainers.image.created'

/** Every canonical reference, and nothing that could upset a terminal or a path. */
const NAME = /^[A-Za-z0-9][\w.:@+/-]{0,511}$/

const INDEX = 'index.json'

const { integer, list, map, object, string, withText } = shapes

const INDEX_SHAPE = object({
  schemaVersion: integer,
  mediaType: string,
  manifests: list(withText(DESCRIPTOR_SHAPE)),
  annotations: map(string),
})

interface Entry {
  readonly name: string | undefined
  readonly fields: DescriptorFields
  /** As it is written. */
  readonly text: string
}

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
      .flatMap((entry) => toImage(entry) ?? [])
      .sort((a, b) => (a.name < b.name ? -1 : 1))
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
   * before, the name when this returns; the same name for the same image costs nothing.
   * @throws {TsbuildError} NOT_FOUND when the manifest is not in the store, REFERENCE_INVALID
   */
  async set(name: string, descriptor: Descriptor, options: SetNameOptions = {}): Promise<void> {
    if (!NAME.test(name)) {
      throw new TsbuildError(`invalid image name ${JSON.stringify(name.slice(0, 300))}`, {
        code: 'REFERENCE_INVALID',
      })
    }
    if (!(await this.#blobs.has(descriptor))) {
      throw new TsbuildError(
        `name ${name}: its manifest ${descriptor.digest} is not in the store`,
        {
          code: 'NOT_FOUND',
        },
      )
    }
    await this.#blobs.sync()
    const fields = toFields(name, descriptor, options)
    const text = JSON.stringify(fields)
    await this.#update((entries) => [
      ...entries.filter((entry) => entry.name !== name),
      { name, fields, text },
    ])
  }

  /** False when there was no such name. Blobs stay. */
  async remove(name: string): Promise<boolean> {
    let found = false
    await this.#update((entries) => {
      const rest = entries.filter((entry) => entry.name !== name)
      found = rest.length < entries.length
      return rest
    })
    return found
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

/** The index as it was last written by this program. */
export function writtenIndex(database: Database): string | undefined {
  const row = database.get('SELECT value FROM state WHERE name = ?', INDEX)
  return typeof row?.value === 'string' ? row.value : undefined
}

/** Whether a text is an index that can be read. */
export function isIndex(text: string): boolean {
  return parse(text) !== undefined
}

/** `undefined` when it is not an index. Entries of other tools stay as they are. */
function parse(text: string | undefined): readonly Entry[] | undefined {
  if (text === undefined) return undefined
  try {
    const index = readDocument(Buffer.from(text), INDEX_SHAPE, {
      what: INDEX,
      code: 'STORE_INVALID',
    })
    const { manifests = [] } = index
    return manifests.map((entry) => ({
      name: nameOf(entry.value),
      fields: entry.value,
      text: entry.text,
    }))
  } catch (cause) {
    if (cause instanceof TsbuildError) return undefined
    throw cause
  }
}

function serialize(entries: readonly Entry[]): string {
  const manifests = entries.map((entry) => entry.text).join(',')
  return `{"schemaVersion":2,"mediaType":"${MEDIA_TYPES.ociIndex}","manifests":[${manifests}]}`
}

function nameOf({ annotations = {} }: DescriptorFields): string | undefined {
  return annotations[CONTAINERD_NAME] ?? annotations[REF_NAME]
}

function toImage({ name, fields }: Entry): NamedImage | undefined {
  if (name === undefined) return undefined
  try {
    const { annotations = {}, ...descriptor } = toDescriptor(fields, name)
    const { [REF_NAME]: _, [CONTAINERD_NAME]: __, [CREATED]: created, ...others } = annotations
    const createdAt = new Date(created ?? Number.NaN)
    return {
      name,
      descriptor: {
        ...descriptor,
        ...(Object.keys(others).length > 0 ? { annotations: others } : {}),
      },
      ...(Number.isNaN(createdAt.getTime()) ? {} : { createdAt }),
    }
  } catch (cause) {
    // Another tool's entry that is not a descriptor of ours, say with a sha512 digest.
    if (cause instanceof TsbuildError) return undefined
    throw cause
  }
}

function toFields(
  name: string,
  descriptor: Descriptor,
  { createdAt }: SetNameOptions,
): DescriptorFields {
  const { mediaType, digest, size, platform, annotations, artifactType } = descriptor
  return {
    mediaType,
    digest,
    size,
    ...(platform === undefined ? {} : { platform }),
    ...(artifactType === undefined ? {} : { artifactType }),
    annotations: {
      ...annotations,
      [REF_NAME]: name,
      [CONTAINERD_NAME]: name,
      ...(createdAt === undefined ? {} : { [CREATED]: createdAt.toISOString() }),
    },
  }
}
