import type { Buffer } from 'node:buffer'
import {
  WRITE_ACTIONS,
  WRITE_CONTENT_REQUEST,
  WRITE_CONTENT_RESPONSE,
  type WriteContentResponse,
} from '#buildkit/messages'
import type { Descriptor } from '#core'
import type { PacketStream } from '../call.ts'
import { CallError } from '../call-error.ts'

/** What is written. */
export interface Written {
  /** The client's name for it until it is complete. */
  readonly ref: string
  readonly descriptor: Descriptor
}

/** One blob on its way to a client, which answers each message. */
export class ContentWrite {
  readonly #call: PacketStream
  readonly #answers: AsyncIterator<Buffer>
  readonly #written: Written
  #offset = 0

  constructor(call: PacketStream, written: Written) {
    this.#call = call
    this.#answers = call.messages[Symbol.asyncIterator]()
    this.#written = written
  }

  /** @throws {CallError} ALREADY_EXISTS when the client has the blob */
  async ask(action: number, data?: Buffer): Promise<void> {
    const { ref, descriptor } = this.#written
    const request = WRITE_CONTENT_REQUEST.encode({
      ...{ action, ref, data, offset: this.#offset },
      ...(action === WRITE_ACTIONS.write ? {} : { total: descriptor.size }),
      // With the first message the client looks whether it has the blob, with the last one whether this is it.
      ...(action === WRITE_ACTIONS.write ? {} : { expected: descriptor.digest }),
    })
    // Where it fails the answer says why.
    await this.#call.send(request).catch(() => undefined)
    const { value, done } = await this.#answers.next()
    if (done === true) throw disorderError('it ended too early')
    this.#check(WRITE_CONTENT_RESPONSE.decode(value), action, data)
  }

  /** Waits until the client has ended the call. */
  async end(): Promise<void> {
    this.#call.end()
    // It may repeat its last answer.
    for (let more = 0; more < 2; more++) {
      if ((await this.#answers.next()).done === true) return
    }
    throw disorderError('it does not end')
  }

  /** Nothing else is asked. */
  leave(): void {
    void this.#answers.return?.().catch(() => undefined)
  }

  #check(answer: WriteContentResponse, action: number, data: Buffer | undefined): void {
    // What a name has that was used before is written over from the start.
    if (action === WRITE_ACTIONS.stat) return
    this.#offset += data?.length ?? 0
    if (answer.offset !== this.#offset) {
      throw disorderError(`it has ${answer.offset} bytes of ${this.#offset}`)
    }
    if (action !== WRITE_ACTIONS.commit) return
    const { digest } = this.#written.descriptor
    if (answer.digest !== digest) throw disorderError(`it has ${answer.digest || 'no digest'}`)
  }
}

function disorderError(why: string): CallError {
  return new CallError(`writing a blob to the client: ${why}`, { status: 'INTERNAL' })
}
