import PQueue from 'p-queue'
import { type TransferOptions, throwIfCancelled } from '#core'
import type { PacketStream } from './packets/packet-stream.ts'
import { type TalkOptions, talkInThread } from './talk-in-thread.ts'
import { MOST_TRANSFERS, openTransferPool, type TransferPool } from './transfer-pool.ts'

const DOING = 'transfer a folder'

/** How a folder is transferred. */
export interface FolderTransferOptions extends TransferOptions {
  /** Called with the bytes of all packets so far, of which some are no content; once a turn of the event loop at most. */
  readonly onProgress?: ((bytes: number) => void) | undefined
}

/** How a folder is received. */
export interface ReceiveOptions extends FolderTransferOptions {
  /**
   * Bytes that are kept in mind of the files that a peer names; default: 512 MiB, in which there is room for two million
   * files with paths of 100 bytes. BuildKit has no bound.
   */
  readonly mostKept?: number | undefined
}

/**
 * Folders that come from clients or go to them. Threads do it: they decode, compare and write, so a disk that is slow, or
 * a folder with millions of files, never keeps the event loop. After a failure the caller closes the stream.
 */
export class FolderTransfers implements AsyncDisposable {
  readonly #pool: TransferPool = openTransferPool()
  readonly #places = new PQueue({ concurrency: MOST_TRANSFERS })

  /**
   * Makes a folder of ours what the peer's is, and takes only what differs. What it has may come from any earlier
   * transfer, also from one that was killed. All files belong to the user of this process. One transfer at a time may
   * write to a folder; after a failure it is fit for the next one.
   * @param folder which exists
   * @throws {TsbuildError} USAGE for a peer that breaks the protocol, or sends more files than are kept in mind;
   *   SIZE_MISMATCH for a file that is not as long as was said, PERMISSION_DENIED for a device that cannot be made,
   *   IO_FAILED also when the peer says that it has failed, NO_SPACE, CANCELLED, and what the stream throws
   */
  async receiveFolder(
    stream: PacketStream,
    folder: string,
    { signal, onProgress, mostKept }: ReceiveOptions = {},
  ): Promise<void> {
    using progress = new Progress(onProgress)
    await this.#talk(stream, {
      perform: (rings, stop) =>
        this.#pool.runBeside('receivePackets', { folder, mostKept, ...rings }, stop),
      signal,
      onArrived: progress.add,
    })
  }

  /**
   * Sends what the peer asks for of a folder of ours, which must not change meanwhile.
   * @throws {TsbuildError} USAGE for a peer that breaks the protocol, IO_FAILED also when the peer says that it has
   *   failed, PERMISSION_DENIED, CANCELLED, and what the stream throws
   */
  async sendFolder(
    stream: PacketStream,
    folder: string,
    { signal, onProgress }: FolderTransferOptions = {},
  ): Promise<void> {
    using progress = new Progress(onProgress)
    await this.#talk(stream, {
      perform: (rings, stop) => this.#pool.runBeside('sendPackets', { folder, ...rings }, stop),
      signal,
      onSent: progress.add,
    })
  }

  /** When one of the places is free. What has begun is not over before its thread is. */
  async #talk(stream: PacketStream, options: TalkOptions): Promise<void> {
    const { signal } = options
    throwIfCancelled(signal, DOING)
    const waiting = new AbortController()
    const stopWaiting = (): void => waiting.abort()
    signal?.addEventListener('abort', stopWaiting, { once: true })
    const talk = (): Promise<void> => {
      signal?.removeEventListener('abort', stopWaiting)
      return talkInThread(this.#pool, stream, options)
    }
    try {
      await this.#places.add(talk, { signal: waiting.signal })
    } catch (cause) {
      throwIfCancelled(signal, DOING)
      throw cause
    }
  }

  /** Stops all transfers, and waits for their end. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]()
  }
}

/** Reports a sum, once for all that is added in a turn, and in the end. */
class Progress implements Disposable {
  readonly #report: ((bytes: number) => void) | undefined
  #sum = 0
  #due: NodeJS.Immediate | undefined

  constructor(report: ((bytes: number) => void) | undefined) {
    this.#report = report
  }

  readonly add = (count: number): void => {
    this.#sum += count
    if (this.#report !== undefined) this.#due ??= setImmediate(() => this.#tell())
  };

  [Symbol.dispose](): void {
    if (this.#due === undefined) return
    clearImmediate(this.#due)
    this.#tell()
  }

  #tell(): void {
    this.#due = undefined
    this.#report?.(this.#sum)
  }
}
