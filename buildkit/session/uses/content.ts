import { Buffer } from 'node:buffer'
import {
  ABORT_REQUEST,
  CONTENT_INFO_REQUEST,
  CONTENT_INFO_RESPONSE,
  READ_CONTENT_REQUEST,
  READ_CONTENT_RESPONSE,
  WRITE_ACTIONS,
} from '#buildkit/messages'
import {
  type BlobSink,
  type BlobSource,
  type Bytes,
  type Descriptor,
  type Digest,
  type OpenOptions,
  randomName,
  type TransferOptions,
  TsbuildError,
  verified,
} from '#core'
import { hasStatus } from '../call-error.ts'
import type { Metadata } from '../headers.ts'
import type { Caller } from '../session.ts'
import { ContentWrite } from './content-write.ts'

const SERVICE = '/containerd.services.content.v1.Content'
const STORE_ID = 'buildkit-attachable-store-id'

/** Bytes that are written with one message: each is answered before the next one is sent. */
const PIECE = 1024 * 1024
/** Milliseconds that forgetting what was not finished may take. */
const PATIENCE = 5_000

/**
 * Blobs on the client's side. Names of images in it are the client's own business.
 * Spec: BuildKit, session/content; containerd, content.proto
 */
export class SessionContent implements BlobSource, BlobSink {
  readonly #session: Caller
  readonly #metadata: Metadata

  /** @param store `local:FOLDER` of a cache, `oci:NAME` of a layout, or `export` */
  constructor(session: Caller, store: string) {
    this.#session = session
    this.#metadata = { [STORE_ID]: store }
  }

  /** Bytes of a blob; `undefined` where there is none. */
  async size(digest: Digest, { signal }: TransferOptions = {}): Promise<number | undefined> {
    const request = CONTENT_INFO_REQUEST.encode({ digest })
    try {
      const answer = await this.#session.call(`${SERVICE}/Info`, request, this.#options(signal))
      return CONTENT_INFO_RESPONSE.decode(answer).info?.size ?? 0
    } catch (cause) {
      if (hasStatus(cause, 'NOT_FOUND')) return undefined
      throw cause
    }
  }

  async has({ digest }: Descriptor, options?: TransferOptions): Promise<boolean> {
    return (await this.size(digest, options)) !== undefined
  }

  async open(descriptor: Descriptor, options: OpenOptions = {}): Promise<Bytes> {
    const { digest } = descriptor
    if (!(await this.has(descriptor, options))) {
      throw new TsbuildError(`the client has no blob ${digest}`, { code: 'NOT_FOUND' })
    }
    const bytes = this.#read(digest, options.signal)
    return options.checkedBy === 'receiver' ? bytes : verified(bytes, descriptor)
  }

  async put(descriptor: Descriptor, bytes: Bytes, options: TransferOptions = {}): Promise<void> {
    const { signal } = options
    const ref = `tsbuild-${randomName(20)}`
    const call = this.#session.open(`${SERVICE}/Write`, this.#options(signal))
    const write = new ContentWrite(call, { ref, descriptor })
    try {
      await write.ask(WRITE_ACTIONS.stat)
      for await (const piece of inPieces(verified(bytes, descriptor))) {
        await write.ask(WRITE_ACTIONS.write, piece)
      }
      await write.ask(WRITE_ACTIONS.commit)
      await write.end()
    } catch (cause) {
      write.leave()
      if (hasStatus(cause, 'ALREADY_EXISTS')) return
      await this.#forget(ref)
      throw cause
    }
  }

  async *#read(
    digest: Digest,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Buffer, void, undefined> {
    const call = this.#session.open(`${SERVICE}/Read`, this.#options(signal))
    // Where it fails the answer says why.
    await call.send(READ_CONTENT_REQUEST.encode({ digest })).catch(() => undefined)
    call.end()
    for await (const message of call.messages) {
      const { data } = READ_CONTENT_RESPONSE.decode(message)
      if (data.length > 0) yield data
    }
  }

  /** What was begun is the client's to remove, which it does not do by itself. A failure before counts more. */
  async #forget(ref: string): Promise<void> {
    const options = { metadata: this.#metadata, timeout: PATIENCE }
    await this.#session
      .call(`${SERVICE}/Abort`, ABORT_REQUEST.encode({ ref }), options)
      .catch(() => undefined)
  }

  #options(signal: AbortSignal | undefined): {
    readonly metadata: Metadata
    readonly signal: AbortSignal | undefined
  } {
    return { metadata: this.#metadata, signal }
  }
}

/** Chunks put together, so that there are fewer answers to wait for, or divided. */
async function* inPieces(bytes: Bytes): AsyncGenerator<Buffer, void, undefined> {
  const piece = Buffer.allocUnsafe(PIECE)
  let used = 0
  for await (const chunk of bytes) {
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + PIECE - used)
      piece.set(part, used)
      used += part.length
      at += part.length
      if (used < PIECE) continue
      yield piece
      used = 0
    }
  }
  if (used > 0) yield piece.subarray(0, used)
}
