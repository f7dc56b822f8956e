import { closeSync, openSync, read } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Store } from '#cache'
import { type Bytes, type Descriptor, Digester, TsbuildError } from '#core'

const CHUNK_BYTES = 256 * 1024

const readInto = promisify(read)

/** What a blob is made of. */
export interface GrowingBlobOptions {
  readonly store: Store
  readonly mediaType: string
  readonly bytes: Bytes
  /** What its descriptor is to say; asked after the last byte. */
  readonly annotations?: () => Descriptor['annotations']
  /** Called once the store has the blob. */
  readonly onWhole: (descriptor: Descriptor) => void
}

/**
 * A blob on its way into the store. It can be read before it is whole: what is sent first need not wait
 * for what is made last.
 */
export class GrowingBlob {
  /** Ends when the store has the blob; after a failure it has nothing of it. */
  readonly made: Promise<Descriptor>
  readonly #store: Store
  readonly #annotations: GrowingBlobOptions['annotations']
  #state: 'growing' | 'whole' | 'failed' = 'growing'
  #path = ''
  /** Bytes in the file. */
  #size = 0
  #grown = Promise.withResolvers<void>()

  constructor(options: GrowingBlobOptions) {
    this.#store = options.store
    this.#annotations = options.annotations
    this.made = this.#make(options)
    // Readers get the rejection, too.
    this.made.catch(() => undefined)
  }

  /** What its descriptor says; complete when it was read to the end. */
  readonly annotations = (): Descriptor['annotations'] => this.#annotations?.()

  get state(): 'growing' | 'whole' | 'failed' {
    return this.#state
  }

  /**
   * The bytes, while they are made. There may be any number of readers.
   * @throws {TsbuildError} what making them fails with; DIGEST_MISMATCH, at the end, for damaged ones
   */
  async *open(): Bytes {
    const digester = new Digester()
    for await (const chunk of this.#read()) {
      digester.update(chunk)
      yield chunk
    }
    const { digest } = await this.made
    if (digester.digest() === digest) return
    throw new TsbuildError(`blob ${digest} was damaged on the disk while it was made`, {
      code: 'DIGEST_MISMATCH',
      hint: 'build again, and have a look at the disk',
    })
  }

  async #make(options: GrowingBlobOptions): Promise<Descriptor> {
    const { store, mediaType, bytes, onWhole } = options
    try {
      await using temporary = store.temporary()
      this.#path = join(temporary.path, 'blob')
      const written = await this.#write(bytes)
      const annotations = this.annotations()
      const descriptor = { mediaType, ...written, ...(annotations && { annotations }) }
      if (!store.blobs.keep(this.#path, descriptor)) throw fullError(descriptor)
      onWhole(descriptor)
      this.#state = 'whole'
      return descriptor
    } catch (cause) {
      this.#state = 'failed'
      throw cause
    } finally {
      this.#grow(0)
    }
  }

  async #write(bytes: Bytes): Promise<Pick<Descriptor, 'digest' | 'size'>> {
    const digester = new Digester()
    await using file = await open(this.#path, 'wx')
    for await (const chunk of bytes) {
      digester.update(chunk)
      await file.writeFile(chunk)
      this.#grow(chunk.length)
    }
    return { digest: digester.digest(), size: digester.size }
  }

  #grow(bytes: number): void {
    this.#size += bytes
    this.#grown.resolve()
    this.#grown = Promise.withResolvers()
  }

  async *#read(): Bytes {
    while (this.#size === 0 && this.#state === 'growing') await this.#grown.promise
    if (this.#state === 'whole') yield* await this.#store.blobs.open(await this.made)
    if (this.#state !== 'growing') return
    // Not later: the file loses its name when it is whole.
    const fd = openSync(this.#path, 'r')
    try {
      for (let at = 0; ; ) {
        const length = Math.min(CHUNK_BYTES, this.#size - at)
        if (length > 0) {
          const { bytesRead, buffer } = await readInto(
            fd,
            Buffer.allocUnsafe(length),
            0,
            length,
            at,
          )
          if (bytesRead === 0) return
          yield buffer.subarray(0, bytesRead)
          at += bytesRead
        } else if (this.#state === 'growing') await this.#grown.promise
        else return
      }
    } finally {
      closeSync(fd)
    }
  }
}

function fullError({ digest }: Descriptor): TsbuildError {
  return new TsbuildError(`the disk has no room for blob ${digest}`, { code: 'NO_SPACE' })
}
