import { createReadStream, createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { ObjectPlace } from '#builder/options'
import type { TemporaryDirectory } from '#cache'
import {
  type Bytes,
  type Descriptor,
  Digester,
  describeDocument,
  type EncodedDocument,
  ioError,
  MAX_DOCUMENT_BYTES,
  MEDIA_TYPES,
  mediaTypeOf,
  type OpenOptions,
  randomName,
  type TransferOptions,
  TsbuildError,
  verified,
} from '#core'
import type { FetchedManifest } from '#registry-client'
import { collectObjects } from '../objects/collect-objects.ts'
import type { FoundObject } from '../objects/object-store.ts'
import type { OpenedStore } from '../objects/open-store.ts'
import { blobObject, describePlace, keysOf, type PlaceKeys } from '../objects/place-keys.ts'
import { openResumed } from '../objects/resumed.ts'
import { type CacheShelf, type HeldIndex, isMissing, type OpenBlob } from './cache-shelf.ts'

/** What a shelf in an object store is made with. */
export interface ObjectShelfDeps {
  /** Called once, when something is asked of the store. */
  readonly open: (place: ObjectPlace) => Promise<OpenedStore>
  /** Holds a blob of which the digest is not known yet. */
  readonly temporary: () => TemporaryDirectory
  /** Whether results are sent: then what they use is kept from being taken for old. */
  readonly isWritten: boolean
}

/** A cache in an object store: its index is replaced only in the version that a writer has read. */
export function objectShelf(place: ObjectPlace, deps: ObjectShelfDeps): CacheShelf {
  const shelf = new ObjectShelf(place, deps)
  const hold = (options: TransferOptions): Promise<HeldIndex> => shelf.hold(options)
  return {
    name: shelf.name,
    origin: undefined,
    source: shelf,
    readIndex: async (options) => {
      const { index } = await hold(options)
      if (index !== undefined) return index
      throw new TsbuildError('nothing is under its name', { code: 'NOT_FOUND' })
    },
    readManifest: async (digest) => {
      throw new TsbuildError(`${shelf.name} has no image ${digest}`, { code: 'NOT_FOUND' })
    },
    mountBlob: async () => false,
    putBlob: (blob, open, options) => shelf.put(blob, open, options),
    streamBlob: (mediaType, open, options) => shelf.stream(mediaType, open, options),
    putManifest: async (document, options) => {
      const descriptor = describeDocument(document)
      await shelf.put(descriptor, () => inOnePiece(document.bytes), options)
      return descriptor
    },
    putIndex: async (document, options) => {
      const held = await hold(options)
      if (await held.replace(document, options)) return
      throw new TsbuildError(`${shelf.name} was replaced meanwhile`, { code: 'REGISTRY_FAILED' })
    },
    writers: { kind: 'swap', hold, tidy: (options) => shelf.tidy(options) },
    [Symbol.asyncDispose]: () => shelf[Symbol.asyncDispose](),
  }
}

class ObjectShelf implements AsyncDisposable {
  readonly name: string
  readonly #place: ObjectPlace
  readonly #deps: ObjectShelfDeps
  readonly #keys: PlaceKeys
  #opened: Promise<OpenedStore> | undefined

  constructor(place: ObjectPlace, deps: ObjectShelfDeps) {
    this.name = describePlace(place)
    this.#place = place
    this.#deps = deps
    this.#keys = keysOf(place)
  }

  async has(blob: Descriptor, { signal }: TransferOptions = {}): Promise<boolean> {
    const { store, tended } = await this.#open()
    const object = blobObject(this.#keys, blob)
    const found = await store.find(object, { signal })
    if (found?.size !== blob.size) return false
    if (tended === undefined || !this.#deps.isWritten || !this.#isOld(found)) return true
    try {
      await tended.touch(object, { signal })
      return true
    } catch (cause) {
      if (isMissing(cause)) return false
      throw cause
    }
  }

  async open(blob: Descriptor, { signal, checkedBy }: OpenOptions = {}): Promise<Bytes> {
    const { store } = await this.#open()
    const bytes = await openResumed(store, blobObject(this.#keys, blob), { signal })
    return checkedBy === 'receiver' ? bytes : verified(bytes, blob)
  }

  async put(blob: Descriptor, open: OpenBlob, { signal }: TransferOptions): Promise<void> {
    if (await this.has(blob, { signal })) return
    const { store } = await this.#open()
    const bytes = verified(await open(), blob)
    await store.put(blobObject(this.#keys, blob), bytes, { signal })
  }

  /** A key says what is under it, so the digest must be known first. */
  async stream(mediaType: string, open: OpenBlob, options: TransferOptions): Promise<Descriptor> {
    await using directory = this.#deps.temporary()
    const path = join(directory.path, randomName(16))
    const digester = new Digester()
    try {
      await pipeline(digested(await open(), digester), createWriteStream(path))
    } catch (cause) {
      throw ioError(`write ${path}`, cause)
    }
    const blob = { mediaType, digest: digester.digest(), size: digester.size }
    await this.put(blob, () => createReadStream(path), options)
    return blob
  }

  async hold({ signal }: TransferOptions): Promise<HeldIndex> {
    const { store } = await this.#open()
    const { index: key } = this.#keys
    const found = await store.readDocument(key, { signal, limit: MAX_DOCUMENT_BYTES })
    return {
      index: found === undefined ? undefined : fetched(found.bytes),
      isOld: found !== undefined && this.#isOld(found),
      replace: ({ bytes }, options) =>
        store.replaceDocument(
          key,
          { bytes: Buffer.from(bytes), version: found?.version },
          { signal: options.signal },
        ),
    }
  }

  async tidy({ signal }: TransferOptions): Promise<void> {
    const { tended } = await this.#open()
    if (tended === undefined || this.#place.kind === 'gha') return
    const { touchRefresh } = this.#place
    await collectObjects(tended, { keys: this.#keys, touchRefresh, signal })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const opened = await this.#opened?.catch(() => undefined)
    await opened?.store[Symbol.asyncDispose]()
  }

  #open(): Promise<OpenedStore> {
    this.#opened ??= this.#deps.open(this.#place)
    return this.#opened
  }

  #isOld({ modified }: Pick<FoundObject, 'modified'>): boolean {
    if (this.#place.kind === 'gha' || modified === undefined) return false
    return Date.now() - modified.getTime() > this.#place.touchRefresh
  }
}

/** A document that does not say what it is becomes one that cannot be parsed. */
function fetched(bytes: Buffer): FetchedManifest {
  let mediaType: string | undefined
  try {
    mediaType = mediaTypeOf(bytes)
  } catch (cause) {
    if (!(cause instanceof TsbuildError)) throw cause
  }
  const document = { mediaType: mediaType ?? MEDIA_TYPES.ociIndex, bytes }
  return { descriptor: describeDocument(document), bytes }
}

async function* digested(bytes: Bytes, digester: Digester): Bytes {
  for await (const chunk of bytes) {
    digester.update(chunk)
    yield chunk
  }
}

async function* inOnePiece(bytes: EncodedDocument['bytes']): Bytes {
  yield bytes
}
