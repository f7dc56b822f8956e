/** One question to one server, over UDP or TCP, from the network of the host. */
import type { Buffer } from 'node:buffer'
import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { connect, isIPv6 } from 'node:net'
import { DNS_PORT, idOf, isAnswerTo, type Query, withId } from './dns-message.ts'
import { FrameReader, frameOf } from './tcp-frames.ts'

/**
 * Asks the server at an address once, until `signal` aborts.
 * @returns its answer with the id of the query, `undefined` when there is none
 */
export type Exchange = (
  query: Query,
  server: string,
  signal: AbortSignal,
) => Promise<Buffer | undefined>

/**
 * Messages that do not fit the question, after which a server is given up: somebody guesses ids, and each
 * guess more makes a hit more likely.
 */
const MAX_MISFITS = 16

const MAX_ID = 0x10000

/**
 * Over UDP, from a port that the kernel chooses anew for each question. The socket is connected, so the
 * kernel drops what other addresses send.
 */
export const askOverUdp: Exchange = async (query, server, signal) => {
  const id = randomInt(MAX_ID)
  const socket = createSocket(isIPv6(server) ? 'udp6' : 'udp4')
  let misfits = 0
  return await answerOf(signal, {
    start: (settle) => {
      socket.on('error', () => settle(undefined))
      socket.on('message', (message) => {
        if (isAnswerTo(message, query, id)) settle(message)
        else if (++misfits === MAX_MISFITS) settle(undefined)
      })
      socket.on('connect', () => socket.send(withId(query.message, id)))
      socket.connect(DNS_PORT, server)
    },
    end: () => socket.close(),
    id: idOf(query.message),
  })
}

/** Over TCP, with a connection of its own. */
export const askOverTcp: Exchange = async (query, server, signal) => {
  const id = randomInt(MAX_ID)
  const socket = connect(DNS_PORT, server)
  const frames = new FrameReader()
  return await answerOf(signal, {
    start: (settle) => {
      socket.on('error', () => settle(undefined))
      socket.on('close', () => settle(undefined))
      socket.on('data', (data) => {
        frames.push(data)
        const message = frames.shift()
        if (message !== undefined) settle(isAnswerTo(message, query, id) ? message : undefined)
      })
      socket.write(frameOf(withId(query.message, id)))
    },
    end: () => socket.destroy(),
    id: idOf(query.message),
  })
}

interface Attempt {
  /** Begins; `settle` is called with the answer, or when there will be none. */
  readonly start: (settle: (answer: Buffer | undefined) => void) => void
  /** Releases what was opened. */
  readonly end: () => void
  /** Of the query. */
  readonly id: number
}

async function answerOf(
  signal: AbortSignal,
  { start, end, id }: Attempt,
): Promise<Buffer | undefined> {
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>()
  const giveUp = (): void => resolve(undefined)
  signal.addEventListener('abort', giveUp)
  try {
    start(resolve)
    const answer = await promise
    return answer && withId(answer, id)
  } finally {
    signal.removeEventListener('abort', giveUp)
    end()
  }
}
