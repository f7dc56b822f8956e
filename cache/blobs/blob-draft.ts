import { rmSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import type { Bytes } from '#core'
import { isNoSpace, storeError } from '../filesystem/failure.ts'

/** A whole copy. */
interface DraftFile {
  readonly path: string
  /** Bytes. */
  readonly size: number
}

/**
 * A copy of bytes that are on their way to somewhere else, which may become a spare blob. What they are sent for goes
 * on without it: on a full disk nothing comes of it.
 */
export class BlobDraft {
  readonly #newPath: () => string
  #file: DraftFile | undefined
  #failure: { readonly error: unknown } | undefined

  /** @param newPath gives a path at which nothing is, below `tmp` of the store */
  constructor(newPath: () => string) {
    this.#newPath = newPath
  }

  /** The copy, once it has all of what was passed on. */
  get file(): DraftFile | undefined {
    return this.#file
  }

  /**
   * Passes bytes on and writes them to a file, a new one with each call.
   * @throws {TsbuildError} IO_FAILED for a disk that fails, and is not full
   */
  async *copying(bytes: Bytes): AsyncGenerator<Uint8Array, void, undefined> {
    this.#file = undefined
    const opened = await this.#attempt(() => this.#open())
    let isWhole = opened !== undefined
    let size = 0
    try {
      for await (const chunk of bytes) {
        // Side by side with what its receiver does.
        const writing = isWhole && opened ? this.#write(opened.handle, chunk) : undefined
        yield chunk
        isWhole = (await writing) === true
        if (this.#failure !== undefined) throw this.#failure.error
        size += chunk.length
      }
      if (isWhole && opened) this.#file = { path: opened.path, size }
    } finally {
      await opened?.handle.close()
      if (opened && this.#file === undefined) rmSync(opened.path, { force: true })
    }
  }

  async #open(): Promise<{ readonly path: string; readonly handle: FileHandle }> {
    const path = this.#newPath()
    return { path, handle: await open(path, 'wx', 0o600) }
  }

  #write(handle: FileHandle, chunk: Uint8Array): Promise<true | undefined> {
    return this.#attempt(async (): Promise<true> => {
      await handle.writeFile(chunk)
      return true
    })
  }

  /** `undefined` after a failure, which is kept unless the disk is full. */
  async #attempt<T>(call: () => Promise<T>): Promise<T | undefined> {
    try {
      return await call()
    } catch (cause) {
      const error = storeError('copy a blob into the store', cause)
      if (!isNoSpace(error)) this.#failure = { error }
      return undefined
    }
  }
}
