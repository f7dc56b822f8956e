import {
  chmodSync,
  lstatSync,
  readdirSync,
  renameSync,
  rmSync,
  type Stats,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import {
  type BlobSink,
  type BlobSource,
  type Bytes,
  type Descriptor,
  type Digest,
  Digester,
  digestOf,
  type ErrorCode,
  errnoOf,
  hexOf,
  randomName,
  type TransferOptions,
  TsbuildError,
  verified,
} from '#core'
import { isNoSpace, storeError } from '../filesystem/failure.ts'
import { noteUse } from '../filesystem/last-use.ts'
import { blobPath, type Layout } from '../filesystem/layout.ts'
import type { Pins } from '../filesystem/pins.ts'
import type { Presence } from '../filesystem/presence.ts'
import { syncPath } from '../filesystem/sync.ts'
import { BlobDraft } from './blob-draft.ts'
import { digestOfFile, readFile, writeFile } from './blob-file.ts'
import { isFreshSpare, modeOf, SEALED, SPARE, UNSEALED } from './blob-modes.ts'

/** From here on writing to the disk is worth an early start. */
const LARGE_BYTES = 8 * 1024 * 1024
/** As many blobs are written to the disk side by side. */
const AT_ONCE = 8

/** What a file can look like that is not the blob it is named after. */
const DAMAGE = new Set<ErrorCode>(['DIGEST_MISMATCH', 'SIZE_MISMATCH', 'PERMISSION_DENIED'])

/** The blobs of a store: files named by their digest, each verified when it enters. */
export class BlobStore implements BlobSource, BlobSink {
  readonly #layout: Layout
  readonly #presence: Presence
  readonly #pins: Pins
  /** Blobs that were met here and may not be on the disk yet, with what writes them there. */
  readonly #unsealed = new Map<Digest, Promise<void> | undefined>()
  #syncing: Promise<void> = Promise.resolve()
  /** Bytes of what was stored by this process. */
  stored: number = 0

  constructor(layout: Layout, services: { presence: Presence; pins: Pins }) {
    this.#layout = layout
    this.#presence = services.presence
    this.#pins = services.pins
  }

  /** Where the blob is, or would be. Readers of the file verify it. */
  path(digest: Digest): string {
    return blobPath(this.#layout, digest)
  }

  /** Size in bytes, or `undefined` when the blob is not there. One that is there stays until this process ends. */
  stat(digest: Digest): number | undefined {
    const found = this.#find(digest)
    if (found !== undefined) this.#note(digest, found)
    return found?.size
  }

  /** As `stat` for one that no name will lead to: `sync` does not wait for a spare one that is new. */
  statSpare(digest: Digest): number | undefined {
    const found = this.#find(digest)
    if (found !== undefined && !isFreshSpare(found)) this.#note(digest, found)
    return found?.size
  }

  async has(descriptor: Descriptor): Promise<boolean> {
    return this.stat(descriptor.digest) === descriptor.size
  }

  /**
   * Opens a blob; a damaged one is moved to `corrupt/`, so that it can be fetched again.
   * @throws {TsbuildError} NOT_FOUND, SIZE_MISMATCH, and DIGEST_MISMATCH while the bytes flow
   */
  async open(descriptor: Descriptor, options: TransferOptions = {}): Promise<Bytes> {
    const { digest } = descriptor
    const size = this.statSpare(digest)
    if (size === undefined) {
      throw new TsbuildError(`blob ${digest} is not in the store`, { code: 'NOT_FOUND' })
    }
    if (size !== descriptor.size) await this.#refuseSize(descriptor)
    return this.#reading(descriptor, options.signal)
  }

  async put(descriptor: Descriptor, bytes: Bytes, options: TransferOptions = {}): Promise<void> {
    if (!(await this.has(descriptor))) await this.receive(descriptor, bytes, options)
  }

  /**
   * As `put` for bytes that something else is made of: they are read and verified in any case, also when
   * another process stores the blob meanwhile.
   */
  async receive(
    descriptor: Descriptor,
    bytes: Bytes,
    { signal }: TransferOptions = {},
  ): Promise<void> {
    const file = this.#presence.newPath()
    try {
      await writeFile(file, verified(bytes, descriptor), { mode: UNSEALED, signal })
      // What is there may be on the disk already, and named.
      if (await this.has(descriptor)) rmSync(file)
      else this.#enter(file, descriptor)
    } catch (cause) {
      rmSync(file, { force: true })
      throw cause
    }
  }

  /** Stores a small document. */
  async putBytes(mediaType: string, bytes: Uint8Array): Promise<Descriptor> {
    const descriptor: Descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length }
    if (await this.has(descriptor)) return descriptor
    const file = this.#presence.newPath()
    try {
      writeFileSync(file, bytes, { flag: 'wx', mode: UNSEALED })
    } catch (cause) {
      rmSync(file, { force: true })
      throw storeError(`write ${file}`, cause)
    }
    this.#enter(file, descriptor)
    return descriptor
  }

  /**
   * Takes over a file of a `temporary()` of the same store, whose digest has been taken while it was
   * written.
   * @throws {TsbuildError} SIZE_MISMATCH
   */
  async adopt(file: string, digest: Digest, size: number): Promise<void> {
    const found = lstatSync(file, { throwIfNoEntry: false })
    if (!found?.isFile() || found.size !== size) {
      throw new TsbuildError(`store blob ${digest}: ${file} does not have ${size} bytes`, {
        code: 'SIZE_MISMATCH',
      })
    }
    if (this.stat(digest) === size) {
      rmSync(file)
      return
    }
    this.#enter(file, { digest, size })
  }

  /** For a copy of what is sent elsewhere, which `keep` may take over. */
  draft(): BlobDraft {
    return new BlobDraft(() => this.#presence.newPath())
  }

  /**
   * Takes over a file as `adopt` does, of a blob that can be made again: nothing waits until it is on the disk, a
   * full one does not get it, and after a reboot it is gone unless it was used since.
   * @returns whether the store has it; else the file stays where it is
   * @throws {TsbuildError} IO_FAILED
   */
  keep(file: string, blob: Pick<Descriptor, 'digest' | 'size'>): boolean {
    try {
      if (this.statSpare(blob.digest) === blob.size) rmSync(file)
      else this.#rename(file, blob, SPARE)
      return true
    } catch (cause) {
      if (!isNoSpace(cause)) throw cause
      return false
    }
  }

  /** Removes a blob; nothing to remove is fine. */
  delete(digest: Digest): void {
    this.#unsealed.delete(digest)
    const path = this.path(digest)
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) this.#presence.discard(path)
    else rmSync(path, { force: true })
  }

  /**
   * Writes to the disk what was stored or met here. What the disk refuses is removed: a
   * later fsync(2) would claim success.
   * @throws {TsbuildError} NO_SPACE, IO_FAILED
   */
  sync(): Promise<void> {
    // One after the other: a second call must not return before everything is safe.
    const syncing = this.#syncing.then(() => this.#syncUnsealed())
    this.#syncing = syncing.catch(() => undefined)
    return syncing
  }

  async #syncUnsealed(): Promise<void> {
    const digests = [...this.#unsealed.keys()]
    if (digests.length === 0) return
    for (let at = 0; at < digests.length; at += AT_ONCE) {
      await this.#writeBackAll(digests.slice(at, at + AT_ONCE))
    }
    await syncPath(this.#layout.blobs)
    for (const digest of digests) {
      ignoreMissing(() => chmodSync(this.path(digest), SEALED))
      this.#unsealed.delete(digest)
    }
  }

  async #writeBackAll(digests: readonly Digest[]): Promise<void> {
    const writing = digests.map(async (digest) => {
      try {
        await (this.#unsealed.get(digest) ?? this.#writeBack(digest))
      } catch (cause) {
        this.#unsealed.delete(digest)
        throw cause
      }
    })
    await Promise.allSettled(writing)
    await Promise.all(writing)
  }

  /** After a reboot: what never got to be sealed is verified, and removed when it is not whole. */
  recover(): void {
    for (const name of readdirSync(this.#layout.blobs)) {
      const path = join(this.#layout.blobs, name)
      const found = lstatSync(path, { throwIfNoEntry: false })
      if (!found?.isFile() || modeOf(found) === SEALED) continue
      const isKept = modeOf(found) !== SPARE && isWhole(path, `sha256:${name}`)
      if (isKept) chmodSync(path, SEALED)
      else rmSync(path, { force: true })
    }
  }

  #find(digest: Digest): Stats | undefined {
    this.#pins.hold(hexOf(digest))
    const found = lstatSync(this.path(digest), { throwIfNoEntry: false })
    if (found === undefined) return undefined
    if (!found.isFile()) {
      this.setAside(digest)
      return undefined
    }
    noteUse(this.path(digest), found)
    return found
  }

  #note(digest: Digest, found: Stats): void {
    if (modeOf(found) === SEALED || this.#unsealed.has(digest)) return
    this.#unsealed.set(digest, undefined)
  }

  #rename(file: string, { digest, size }: Pick<Descriptor, 'digest' | 'size'>, mode: number): void {
    try {
      chmodSync(file, mode)
      renameSync(file, this.path(digest))
    } catch (cause) {
      throw storeError(`store blob ${digest}`, cause)
    }
    this.stored += size
  }

  #enter(file: string, blob: Pick<Descriptor, 'digest' | 'size'>): void {
    const { digest, size } = blob
    this.#rename(file, blob, UNSEALED)
    const early = size >= LARGE_BYTES ? this.#writeBack(digest) : undefined
    // `sync` rejects with its failure.
    early?.catch(() => undefined)
    this.#unsealed.set(digest, early)
  }

  async #writeBack(digest: Digest): Promise<void> {
    try {
      await syncPath(this.path(digest))
    } catch (cause) {
      if (errnoOf(cause) === 'ENOENT') return
      // Only what the disk refused is removed: a file that could not be opened is as good as it was.
      if (isFsync(cause)) rmSync(this.path(digest), { force: true })
      throw storeError(`write blob ${digest} to the disk`, cause)
    }
  }

  /** Either the blob is damaged, or the caller is mistaken about its size. */
  async #refuseSize(expected: Descriptor): Promise<never> {
    const actual = new Digester()
    for await (const chunk of readFile(this.path(expected.digest))) actual.update(chunk)
    if (actual.digest() !== expected.digest) throw this.setAside(expected.digest)
    throw new TsbuildError(
      `blob ${expected.digest} has ${actual.size} bytes, not ${expected.size}`,
      { code: 'SIZE_MISMATCH' },
    )
  }

  async *#reading(
    descriptor: Descriptor,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* verified(readFile(this.path(descriptor.digest), signal), descriptor)
    } catch (cause) {
      if (cause instanceof TsbuildError && DAMAGE.has(cause.code)) {
        throw this.setAside(descriptor.digest)
      }
      throw cause
    }
  }

  /**
   * Moves what is in the place of a blob to `corrupt/`, so that the blob can be fetched or made again.
   * @returns the failure of those that wanted to read it
   */
  setAside(digest: Digest): TsbuildError {
    const aside = `${hexOf(digest)}-${randomName(8)}`
    this.#unsealed.delete(digest)
    ignoreMissing(() => renameSync(this.path(digest), join(this.#layout.corrupt, aside)))
    return new TsbuildError(`blob ${digest} is damaged on the disk`, {
      code: 'DIGEST_MISMATCH',
      hint: `it was moved to corrupt/${aside} of the store; build or pull again`,
    })
  }
}

function isWhole(path: string, digest: string): boolean {
  try {
    return digestOfFile(path) === digest
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause
    return false
  }
}

function ignoreMissing(action: () => void): void {
  try {
    action()
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') throw cause
  }
}

function isFsync(cause: unknown): boolean {
  return cause instanceof Error && 'syscall' in cause && cause.syscall === 'fsync'
}
