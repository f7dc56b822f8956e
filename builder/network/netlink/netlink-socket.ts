import { Buffer } from 'node:buffer'
import { closeSync, readSync, writeSync } from 'node:fs'
import { type NetlinkKind, openNetlink, SystemError } from '#builder/linux'
import {
  type Attribute,
  aligned,
  decodeAttributes,
  sizeOfAttributes,
  textOf,
  writeAttributes,
} from './attributes.ts'

/** A request to the kernel. */
export interface NetlinkRequest {
  readonly type: number
  /** Besides those that every request has. */
  readonly flags?: number
  /** The fixed part that its type asks for. */
  readonly header: Uint8Array
  readonly attributes?: readonly Attribute[]
  /** What it is about, for messages: `add route to 198.51.100.0/24`. */
  readonly doing: string
}

/** A message from the kernel. */
export interface NetlinkReply {
  readonly type: number
  /** The fixed part and the attributes. */
  readonly payload: Buffer
}

/** Flags of requests. Spec: netlink(7) */
export const NLM_F = {
  REPLACE: 0x100,
  EXCL: 0x200,
  CREATE: 0x400,
  APPEND: 0x800,
  DUMP: 0x300,
} as const

const NLM_F_REQUEST = 1
const NLM_F_ACK = 4
/** An error has attributes. */
const NLM_F_ACK_TLVS = 0x200
const NLMSG_ERROR = 2
const NLMSG_DONE = 3
const HEADER = 16
const EXPLANATION = 1
/** More than the kernel puts into one datagram. */
const BUFFER_SIZE = 1 << 16

/**
 * A netlink socket, for the thread that opened it. The kernel does what it is asked for before the call that
 * sends a request returns, so nothing here waits.
 */
export class NetlinkSocket implements Disposable {
  /** Its descriptor. */
  readonly descriptor: number
  #sequence = 0

  /** Opens it in the network namespace of the calling thread, in which it stays. */
  constructor(kind: NetlinkKind) {
    this.descriptor = openNetlink(kind)
  }

  [Symbol.dispose](): void {
    closeSync(this.descriptor)
  }

  /**
   * Sends requests as one datagram. The kernel goes on after one that fails.
   * @throws {SystemError} of the first that fails
   */
  request(...requests: readonly NetlinkRequest[]): void {
    this.#exchange(requests, requests.length - 1)
  }

  /** The same for requests of which the kernel does all or none. */
  transaction(
    begin: NetlinkRequest,
    requests: readonly NetlinkRequest[],
    end: NetlinkRequest,
  ): void {
    this.#exchange([begin, ...requests, end], requests.length)
  }

  /** @param last index of the request that is answered in any case; others are when they fail */
  #exchange(requests: readonly NetlinkRequest[], last: number): void {
    const first = this.#sequence + 1
    this.#send(requests.map((request, index) => withFlags(request, index === last ? NLM_F_ACK : 0)))
    let failure: SystemError | undefined
    for (const { sequence, type, flags, payload } of this.#receive()) {
      if (type !== NLMSG_ERROR || sequence < first) continue
      failure ??= failureIn(payload, flags, requests[sequence - first]?.doing)
      // What fails as a whole is said of the first.
      if (sequence === first + last || (sequence === first && failure !== undefined)) break
    }
    if (failure !== undefined) throw failure
  }

  /** Asks for all objects of a kind. @throws {SystemError} */
  dump(request: NetlinkRequest): readonly NetlinkReply[] {
    this.#send([withFlags(request, NLM_F.DUMP)])
    const replies: NetlinkReply[] = []
    for (const { sequence, type, flags, payload } of this.#receive()) {
      if (sequence !== this.#sequence) continue
      if (type === NLMSG_DONE) return replies
      const failure = type === NLMSG_ERROR ? failureIn(payload, flags, request.doing) : undefined
      if (failure !== undefined) throw failure
      replies.push({ type, payload })
    }
    return replies
  }

  #send(requests: readonly NetlinkRequest[]): void {
    const bytes = Buffer.concat(requests.map((request) => encode(request, ++this.#sequence)))
    writeSync(this.descriptor, bytes)
  }

  /** Messages until the caller has enough. @throws {Error} EAGAIN when there is none */
  *#receive(): Generator<Received, void> {
    for (;;) {
      const buffer = Buffer.allocUnsafe(BUFFER_SIZE)
      yield* decode(buffer.subarray(0, readSync(this.descriptor, buffer)))
    }
  }
}

interface Received extends NetlinkReply {
  readonly flags: number
  readonly sequence: number
}

function withFlags(request: NetlinkRequest, flags: number): NetlinkRequest {
  return { ...request, flags: (request.flags ?? 0) | NLM_F_REQUEST | flags }
}

/**
 * The bytes of a request.
 * @internal
 */
export function encode(request: NetlinkRequest, sequence: number): Buffer {
  const { type, flags = 0, header, attributes = [] } = request
  const start = HEADER + aligned(header.length)
  const whole = Buffer.alloc(start + sizeOfAttributes(attributes))
  whole.set(header, HEADER)
  writeAttributes(whole, start, attributes)
  whole.writeUInt32LE(whole.length, 0)
  whole.writeUInt16LE(type, 4)
  whole.writeUInt16LE(flags, 6)
  whole.writeUInt32LE(sequence, 8)
  return whole
}

/**
 * The messages in one datagram.
 * @internal
 */
export function* decode(bytes: Buffer): Generator<Received, void> {
  for (let offset = 0; offset + HEADER <= bytes.length; ) {
    const length = bytes.readUInt32LE(offset)
    if (length < HEADER || offset + length > bytes.length) return
    yield {
      type: bytes.readUInt16LE(offset + 4),
      flags: bytes.readUInt16LE(offset + 6),
      sequence: bytes.readUInt32LE(offset + 8),
      payload: bytes.subarray(offset + HEADER, offset + length),
    }
    offset += aligned(length)
  }
}

/** What an answer says went wrong; `undefined` when it says that nothing did. */
function failureIn(payload: Buffer, flags: number, doing = 'request'): SystemError | undefined {
  const errno = -payload.readInt32LE(0)
  if (errno === 0) return undefined
  const hasText = (flags & NLM_F_ACK_TLVS) !== 0
  const text = hasText
    ? textOf(decodeAttributes(payload.subarray(4 + HEADER)).get(EXPLANATION))
    : ''
  return new SystemError(errno, 'netlink', text === '' ? doing : `${doing}: ${text}`)
}
