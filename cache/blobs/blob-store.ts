import { lstatSync, mkdirSync, renameSync, rmSync, type Stats, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import {
  type BlobSink,
  type BlobSource,
  type Bytes,
  type Descriptor,
  type Digest,
  Digester,
  digestOf,
  type ErrorCode,
  hexOf,
  randomName,
  type TransferOptions,
  TsbuildError,
  verified,
} from '#core'
import { isNoSpace, storeError } from '../filesystem/failure.ts'
import { noteUse } from '../filesystem/last-use.ts'
import type { Layout } from '../filesystem/layout.ts'
import type { Pins } from '../filesystem/pins.ts'
import type { Presence } from '../filesystem/presence.ts'
import { syncFolder } from '../filesystem/sync.ts'
import { BlobDraft } from './blob-draft.ts'
import { digestOfFile, readFile, writeFile } from './blob-file.ts'
import { isFreshSpare, SPARE, UNSEALED } from './blob-modes.ts'
import { arePartsSound, readParts, readTrailer } from './parted-blob.ts'
import { ignoreMissing, SealedFolder } from './sealed-folder.ts'

/** What a file can look like that is not the blob it is named after. */
const DAMAGE = new Set<ErrorCode>(['DIGEST_MISMATCH', 'SIZE_MISMATCH', 'PERMISSION_DENIED'])

/** A blob as it is on the disk. */
interface Found {
  /** Bytes. */
  readonly size: number
  readonly stats: Stats
  /** The blob that it is kept in parts of; `undefined` for a file of its own. */
  readonly earlier: Digest | undefined
}

/**
 * The blobs of a store: files named by their digest, each verified when it enters. One that is made of an earlier
 * one may be kept in parts, and is whole to its readers: see docs/adr/0067-tars-in-parts.md
 */
export class BlobStore implements BlobSource, BlobSink {
  readonly #layout: Layout
  readonly #presence: Presence
  readonly #pins: Pins
  readonly #files: SealedFolder
  readonly #parts: SealedFolder
  /** Bytes of what was stored by this process. */
  stored: number = 0

  constructor(layout: Layout, services: { presence: Presence; pins: Pins }) {
    this.#layout = layout
    this.#presence = services.presence
    this.#pins = services.pins
    this.#files = new SealedFolder(layout.blobs)
    this.#parts = new SealedFolder(layout.parts)
  }

  /** Where the blob is as one file, or would be. Readers of the file verify it. */
  path(digest: Digest): string {
    return this.#files.path(digest)
  }

  /** Where the blob is, if it is one file. */
  findFile(digest: Digest): string | undefined {
    return this.stat(digest) !== undefined && this.#files.find(digest)?.isFile()
      ? this.path(digest)
      : undefined
  }

  /**
   * As `path`, for readers that need one file: a blob that is kept in parts becomes one.
   * @throws {TsbuildError} as `open`, NO_SPACE
   */
  async file(digest: Digest, options: TransferOptions = {}): Promise<string> {
    const found = this.#find(digest)
    if (found?.earlier !== undefined) await this.#join({ digest, size: found.size }, options)
    return this.path(digest)
  }

  /** The blob that one is kept in parts of; `undefined` for one that is a file, or is not there. */
  earlierOf(digest: Digest): Digest | undefined {
    return this.#find(digest)?.earlier
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
    if (found !== undefined && !isFreshSpare(found.stats)) this.#note(digest, found)
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
    if (size !== descriptor.size) await this.#refuseSize(descriptor, size)
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
      else {
        this.#files.rename(file, blob.digest, SPARE)
        this.stored += blob.size
      }
      return true
    } catch (cause) {
      if (!isNoSpace(cause)) throw cause
      return false
    }
  }

  /**
   * Takes over the file of a blob's parts, of a `temporary()` of the same store; the digest of the blob has been
   * taken of them.
   * @param file as `completeParts` has made it
   * @throws {TsbuildError} NO_SPACE, IO_FAILED
   */
  adoptParts(file: string, digest: Digest): void {
    const trailer = readTrailer(file)
    if (trailer === undefined || trailer === 'damaged') throw new Error('not a file of parts')
    if (this.stat(digest) === trailer.size) {
      rmSync(file)
      return
    }
    this.#makePartsFolder()
    this.#parts.enter(file, { digest, size: trailer.found.size })
    // What they are made of has to be on the disk as well.
    this.stat(digest)
    this.stored += trailer.found.size
  }

  /** Removes a blob; nothing to remove is fine. */
  delete(digest: Digest): void {
    for (const folder of [this.#files, this.#parts]) {
      folder.forget(digest)
      const path = folder.path(digest)
      if (folder.find(digest)?.isDirectory()) this.#presence.discard(path)
      else rmSync(path, { force: true })
    }
  }

  /**
   * Writes to the disk what was stored or met here. What the disk refuses is removed: a
   * later fsync(2) would claim success.
   * @throws {TsbuildError} NO_SPACE, IO_FAILED
   */
  async sync(): Promise<void> {
    // Parts that count as being on the disk are of a blob that is.
    await this.#files.sync()
    await this.#parts.sync()
  }

  /** After a reboot: what never got to be sealed is verified, and removed when it is not whole. */
  recover(): void {
    this.#files.recover((path, digest) => digestOfFile(path) === digest)
    this.#parts.recover((path) => {
      const trailer = readTrailer(path)
      if (trailer === undefined || trailer === 'damaged') return false
      return this.#files.find(trailer.earlier)?.isFile() === true && arePartsSound(path)
    })
  }

  #find(digest: Digest): Found | undefined {
    this.#pins.hold(hexOf(digest))
    // Between the first two looks, another process may have made one file of the parts.
    return this.#findFile(digest) ?? this.#findParts(digest) ?? this.#findFile(digest)
  }

  #findFile(digest: Digest): Found | undefined {
    const stats = this.#files.find(digest)
    if (stats === undefined) return undefined
    if (!stats.isFile()) {
      this.setAside(digest)
      return undefined
    }
    noteUse(this.path(digest), stats)
    return { size: stats.size, stats, earlier: undefined }
  }

  #findParts(digest: Digest): Found | undefined {
    const path = this.#parts.path(digest)
    const trailer = readTrailer(path)
    if (trailer === 'damaged') this.setAside(digest)
    if (trailer === undefined || trailer === 'damaged') return undefined
    const { size, earlier, found: stats } = trailer
    if (this.#files.find(earlier)?.isFile() !== true) return undefined
    noteUse(path, stats)
    return { size, stats, earlier }
  }

  #note(digest: Digest, { stats, earlier }: Found): void {
    if (earlier === undefined) this.#files.note(digest, stats)
    else {
      this.#parts.note(digest, stats)
      const found = this.#files.find(earlier)
      if (found !== undefined) this.#files.note(earlier, found)
    }
  }

  #enter(file: string, blob: Pick<Descriptor, 'digest' | 'size'>): void {
    this.#files.enter(file, blob)
    this.stored += blob.size
  }

  #makePartsFolder(): void {
    const { parts } = this.#layout
    try {
      if (mkdirSync(parts, { recursive: true, mode: 0o700 }) !== undefined) {
        syncFolder(dirname(parts))
      }
    } catch (cause) {
      throw storeError(`make ${parts}`, cause)
    }
  }

  /** Makes one file of the parts of a blob. */
  async #join(
    blob: Pick<Descriptor, 'digest' | 'size'>,
    { signal }: TransferOptions,
  ): Promise<void> {
    const file = this.#presence.newPath()
    try {
      await writeFile(file, this.#reading(blob, signal), { mode: UNSEALED, signal })
      // What is there may be on the disk already, and named.
      if (this.#findFile(blob.digest) === undefined) this.#enter(file, blob)
      else rmSync(file)
    } catch (cause) {
      rmSync(file, { force: true })
      throw cause
    }
    // Not before that is on the disk: a name may rely on them.
    await this.sync()
    this.#parts.forget(blob.digest)
    rmSync(this.#parts.path(blob.digest), { force: true })
  }

  /** Either the blob is damaged, or the caller is mistaken about its size. */
  async #refuseSize(expected: Descriptor, found: number): Promise<never> {
    const actual = new Digester()
    for await (const chunk of this.#bytes(expected.digest, undefined)) actual.update(chunk)
    const isSound = actual.digest() === expected.digest && actual.size === found
    if (!isSound) throw await this.#setDamagedAside(expected.digest)
    throw new TsbuildError(
      `blob ${expected.digest} has ${actual.size} bytes, not ${expected.size}`,
      { code: 'SIZE_MISMATCH' },
    )
  }

  async *#reading(
    blob: Pick<Descriptor, 'digest' | 'size'>,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* verified(this.#bytes(blob.digest, signal), blob)
    } catch (cause) {
      if (cause instanceof TsbuildError && DAMAGE.has(cause.code)) {
        throw await this.#setDamagedAside(blob.digest)
      }
      throw cause
    }
  }

  #bytes(digest: Digest, signal: AbortSignal | undefined): Bytes {
    const earlier = this.#find(digest)?.earlier
    if (earlier === undefined) return readFile(this.path(digest), signal)
    return readParts({ parts: this.#parts.path(digest), earlier: this.path(earlier) }, signal)
  }

  /** Also the blob that it was made of, if it is that which is damaged. */
  async #setDamagedAside(digest: Digest): Promise<TsbuildError> {
    const earlier = this.#find(digest)?.earlier
    const failure = this.setAside(digest)
    const size = earlier && this.statSpare(earlier)
    if (earlier === undefined || size === undefined) return failure
    try {
      for await (const chunk of this.#reading({ digest: earlier, size }, undefined)) void chunk
    } catch (cause) {
      if (!(cause instanceof TsbuildError)) throw cause
    }
    return failure
  }

  /**
   * Moves what is in the place of a blob to `corrupt/`, so that the blob can be fetched or made again.
   * @returns the failure of those that wanted to read it
   */
  setAside(digest: Digest): TsbuildError {
    const aside = `${hexOf(digest)}-${randomName(8)}`
    const folder = this.#files.find(digest) === undefined ? this.#parts : this.#files
    folder.forget(digest)
    ignoreMissing(() => renameSync(folder.path(digest), join(this.#layout.corrupt, aside)))
    return new TsbuildError(`blob ${digest} is damaged on the disk`, {
      code: 'DIGEST_MISMATCH',
      hint: `it was moved to corrupt/${aside} of the store; build or pull again`,
    })
  }
}
