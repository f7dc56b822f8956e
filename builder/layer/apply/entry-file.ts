import { closeSync } from 'node:fs'
import { HoleWriter } from '#builder/linux'
import type { Name } from '#core'
import type { Attributes, DirectoryWriter } from '../overlay/directory-writer.ts'

/** Where the file of an entry is made. */
export interface EntryFileOptions {
  readonly writer: DirectoryWriter
  /** The error for a failure to write it. */
  readonly failure: (path: Name, cause: unknown) => Error
}

/** The file of an entry, from when it is made until it has its content and attributes. */
export class EntryFile {
  readonly #path: Name
  readonly #attributes: Attributes
  readonly #options: EntryFileOptions
  readonly #fd: number
  readonly #content: HoleWriter

  constructor(path: Name, attributes: Attributes, options: EntryFileOptions) {
    this.#path = path
    this.#attributes = attributes
    this.#options = options
    this.#fd = options.writer.makeFile(path, attributes.stat)
    this.#content = new HoleWriter(this.#fd)
  }

  content(bytes: Uint8Array): void {
    try {
      this.#content.write(bytes)
    } catch (cause) {
      throw this.#options.failure(this.#path, cause)
    }
  }

  hole(length: number): void {
    this.#content.skip(length)
  }

  /** To be called after the content; it is closed then. */
  end(): void {
    try {
      this.#content.finish()
      this.#options.writer.setFileAttributes(this.#path, this.#fd, this.#attributes)
    } catch (cause) {
      throw this.#options.failure(this.#path, cause)
    } finally {
      this.close()
    }
  }

  /** For a file that stays incomplete after a failure. */
  close(): void {
    closeSync(this.#fd)
  }
}
