import type { Buffer } from 'node:buffer'
import { closeSync } from 'node:fs'
import { writeFully } from '#builder/linux'
import { ioError, TsbuildError } from '#core'
import { protocolError, quotePath } from '../packets/transfer-error.ts'
import type { FolderDisk } from './folder-disk.ts'
import type { MemoryBound } from './memory-bound.ts'
import type { ReceivedEntry } from './received-entry.ts'

/**
 * Files that are asked for and not whole. As many requests as can be on their way without waiting for a peer that waits for
 * us: they fit into the least window of HTTP/2.
 */
const MOST_REQUESTED = 1000
/** BuildKit sends four at a time. */
const MOST_OPEN = 32
/** Of requests that were made, which are kept no longer. */
const LEAST_DROPPED = 1024
/** Bytes that a file takes while it is awaited. */
const FILE_BYTES = 400

/** A file whose content is asked for, or will be. */
interface RequestedFile {
  readonly id: number
  readonly entry: ReceivedEntry
  received: number
  /** It was made. */
  isMade: boolean
}

/** What is needed for requests. */
export interface RequestOptions {
  readonly disk: FolderDisk
  readonly bound: MemoryBound
  /** Asks for the content of a file. */
  readonly ask: (id: number) => void
}

/** Asks for the contents of files, and writes what comes of them, in any order. */
export class RequestedFiles implements Disposable {
  readonly #options: RequestOptions
  #waiting: RequestedFile[] = []
  /** How many of those that wait were asked for. */
  #asked = 0
  readonly #requested = new Map<number, RequestedFile>()
  /** Descriptors of files that are being written, the one that was opened first first. */
  readonly #open = new Map<RequestedFile, number>()

  constructor(options: RequestOptions) {
    this.#options = options
  }

  /** Nothing is awaited. */
  get isDone(): boolean {
    return this.#requested.size === 0 && this.#asked === this.#waiting.length
  }

  /** Will ask for the content of a file. */
  want(id: number, entry: ReceivedEntry): void {
    this.#options.bound.add(costOf(entry))
    this.#waiting.push({ id, entry, received: 0, isMade: false })
    this.#ask()
  }

  /**
   * Takes a part of a content, or with no bytes its end.
   * @throws {TsbuildError} USAGE for what was not asked for, SIZE_MISMATCH, NO_SPACE, IO_FAILED
   */
  take(id: number, bytes: Buffer): void {
    const file = this.#requested.get(id)
    if (file === undefined) throw protocolError(`the content of file ${id}, which is not awaited`)
    if (bytes.length === 0) {
      this.#finish(file)
      return
    }
    file.received += bytes.length
    if (file.received > file.entry.size) throw sizeError(file)
    const descriptor = this.#descriptorOf(file)
    try {
      writeFully(descriptor, bytes)
    } catch (cause) {
      throw ioError(`write ${quotePath(file.entry.path)}`, cause)
    }
  }

  [Symbol.dispose](): void {
    for (const descriptor of this.#open.values()) closeSync(descriptor)
    this.#open.clear()
  }

  #ask(): void {
    while (this.#requested.size < MOST_REQUESTED) {
      const next = this.#waiting[this.#asked]
      if (next === undefined) return
      this.#asked += 1
      if (this.#asked >= LEAST_DROPPED && this.#asked * 2 > this.#waiting.length) {
        this.#waiting = this.#waiting.slice(this.#asked)
        this.#asked = 0
      }
      this.#requested.set(next.id, next)
      this.#options.ask(next.id)
    }
  }

  #finish(file: RequestedFile): void {
    if (file.received !== file.entry.size) throw sizeError(file)
    const descriptor = this.#descriptorOf(file)
    this.#options.disk.finishFile(descriptor, file.entry)
    this.#open.delete(file)
    closeSync(descriptor)
    this.#requested.delete(file.id)
    this.#options.bound.take(costOf(file.entry))
    this.#ask()
  }

  #descriptorOf(file: RequestedFile): number {
    const open = this.#open.get(file)
    if (open !== undefined) return open
    if (this.#open.size >= MOST_OPEN) this.#closeFirst()
    const { disk } = this.#options
    const { path } = file.entry
    const descriptor = file.isMade ? disk.reopenFile(path) : disk.makeFile(path)
    file.isMade = true
    this.#open.set(file, descriptor)
    return descriptor
  }

  #closeFirst(): void {
    for (const [file, descriptor] of this.#open) {
      this.#open.delete(file)
      closeSync(descriptor)
      return
    }
  }
}

function costOf({ path, xattrs }: ReceivedEntry): number {
  let bytes = FILE_BYTES + path.length
  for (const value of xattrs.values()) bytes += FILE_BYTES + value.length
  return bytes
}

function sizeError({ entry, received }: RequestedFile): TsbuildError {
  const than = received > entry.size ? 'more' : 'fewer'
  return new TsbuildError(`receive ${quotePath(entry.path)}: ${than} than ${entry.size} bytes`, {
    code: 'SIZE_MISMATCH',
    hint: 'the file was changed while it was sent, or the client could not read it',
  })
}
