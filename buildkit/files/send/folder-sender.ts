import { closeSync, constants, openSync, readSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { RootedDirectory } from '#builder/linux'
import { type Draft, PACKET, type Packet } from '#buildkit/messages'
import { checkpoint, ioError, type Name } from '#core'
import { PACKET_TYPE } from '../packets/packet-stream.ts'
import { peerError, protocolError, quotePath } from '../packets/transfer-error.ts'
import { FolderWalk } from './folder-walk.ts'

/** Bytes of a packet of content, as BuildKit sends them. */
const CONTENT_BYTES = 32 * 1024
/** Entries that are sent between two looks at what the peer asks for. */
const ENTRIES_AT_ONCE = 100
/** Neither follows a link, nor waits for the other end of a pipe, nor takes a terminal. */
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY

/** How a sender says something. */
export interface SenderOptions {
  /** Resolves when there is room for more; rejects when nobody listens. */
  readonly send: (packet: Draft<Packet>) => Promise<void>
  /** What was sent leaves now. */
  readonly flush: () => void
}

/** A content that a peer may ask for. */
interface Content {
  readonly path: Name
  readonly hasContent: boolean
}

/**
 * The sending end of a transfer: sends what is in a folder, and the contents that the peer asks for, one after the other.
 * Spec: fsutil, send.go
 */
export class FolderSender implements Disposable {
  readonly #root: RootedDirectory
  readonly #options: SenderOptions
  readonly #buffer = Buffer.allocUnsafeSlow(CONTENT_BYTES)
  /** By their numbers, as long as they were not asked for. */
  readonly #contents = new Map<number, Content>()
  readonly #requested: (Content & { readonly id: number })[] = []
  #areAllSent = false
  #isFinished = false
  #failure: unknown
  #news = Promise.withResolvers<void>()

  /** @throws {TsbuildError} IO_FAILED */
  constructor(folder: string, options: SenderOptions) {
    try {
      this.#root = new RootedDirectory(folder)
    } catch (cause) {
      throw ioError('open the folder of a transfer', cause)
    }
    this.#options = options
  }

  /** The peer has all that it wants. */
  get isFinished(): boolean {
    return this.#isFinished
  }

  /** Takes what the peer says. @throws {TsbuildError} */
  take(message: Buffer): void {
    const { type, ID, data } = PACKET.decode(message)
    if (type === PACKET_TYPE.error) throw peerError(data)
    if (this.#isFinished) throw protocolError('a packet after the end')
    if (type === PACKET_TYPE.request) {
      const content = this.#contents.get(ID)
      if (content === undefined) throw protocolError(`a request for file ${ID}, which is none`)
      this.#contents.delete(ID)
      this.#requested.push({ id: ID, ...content })
    } else if (type === PACKET_TYPE.finish) {
      if (!this.#areAllSent) throw protocolError('it ends before it is complete')
      this.#isFinished = true
    } else throw protocolError(`a packet of type ${type}`)
    this.#news.resolve()
  }

  /** What was passed to `fail`. */
  get failure(): unknown {
    return this.#failure
  }

  /** What is sent later has no receiver: `run` throws this. */
  fail(failure: unknown): void {
    this.#failure = failure
    this.#news.resolve()
  }

  /** Sends everything, to the end. @throws {TsbuildError} */
  async run(): Promise<void> {
    await this.#sendEntries()
    while (!this.#isFinished) {
      this.#news = Promise.withResolvers<void>()
      this.#check()
      await this.#sendContents()
      this.#options.flush()
      // What came while contents were sent has resolved it.
      if (!this.#isFinished) await this.#news.promise
    }
    this.#check()
    await this.#options.send({ type: PACKET_TYPE.finish })
  }

  [Symbol.dispose](): void {
    this.#root.close()
  }

  async #sendEntries(): Promise<void> {
    const { send, flush } = this.#options
    let id = 0
    for (const { stat, isRequestable, hasContent } of this.#walk()) {
      if (isRequestable) this.#contents.set(id, { path: stat.path, hasContent })
      id += 1
      await send({ type: PACKET_TYPE.stat, stat })
      if (id % ENTRIES_AT_ONCE !== 0) continue
      flush()
      await nextTurn()
      await this.#sendContents()
      this.#check()
    }
    this.#areAllSent = true
    await send({ type: PACKET_TYPE.stat })
    flush()
  }

  *#walk(): ReturnType<FolderWalk['entries']> {
    try {
      yield* new FolderWalk(this.#root).entries()
    } catch (cause) {
      throw ioError('read a folder to send it', cause)
    }
  }

  async #sendContents(): Promise<void> {
    for (const content of this.#requested.splice(0)) {
      this.#check()
      await this.#sendContent(content)
    }
  }

  async #sendContent({ id, path, hasContent }: Content & { readonly id: number }): Promise<void> {
    const { send } = this.#options
    if (hasContent) {
      const descriptor = attempt(path, () => openSync(this.#root.place(path), READ))
      try {
        for (;;) {
          const count = attempt(path, () => readSync(descriptor, this.#buffer))
          if (count === 0) break
          await send({ type: PACKET_TYPE.data, ID: id, data: this.#buffer.subarray(0, count) })
          this.#check()
        }
      } finally {
        closeSync(descriptor)
      }
    }
    await send({ type: PACKET_TYPE.data, ID: id })
  }

  #check(): void {
    checkpoint()
    if (this.#failure !== undefined) throw this.#failure
  }
}

function attempt<T>(path: Name, action: () => T): T {
  try {
    return action()
  } catch (cause) {
    throw ioError(`read ${quotePath(path)}`, cause)
  }
}
