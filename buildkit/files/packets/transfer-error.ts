import type { Buffer } from 'node:buffer'
import { errnoOf, isCancelled, type Name, TsbuildError, textOfName } from '#core'

const MOST_TEXT = 1000
const MOST_NAME = 200
/** What could move a cursor or reorder a line. */
const CONTROLS = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069]/gu

/** The error for a peer that breaks the protocol. */
export function protocolError(what: string): TsbuildError {
  return new TsbuildError(`transfer of a folder: ${what}`, {
    code: 'USAGE',
    hint: 'the client does not follow the protocol; try another version of it',
  })
}

/** The error for a peer that says that it has failed. */
export function peerError(text: Buffer): TsbuildError {
  const cleaned = plainText(text.toString('utf8', 0, MOST_TEXT * 4), MOST_TEXT)
  return new TsbuildError(`transfer of a folder: the client has failed: ${cleaned}`, {
    code: 'IO_FAILED',
  })
}

/** What the peer is told of a failure. */
export function textForPeer(failure: unknown): string {
  if (isCancelled(failure)) return 'cancelled'
  if (failure instanceof TsbuildError && failure.code === 'PEER_GONE') return 'the stream is broken'
  if (failure instanceof TsbuildError) return plainText(failure.message, MOST_TEXT)
  return errnoOf(failure) ?? 'internal error'
}

/** A path of the peer, in messages. */
export function quotePath(path: Name): string {
  return `"${plainText(textOfName(path.slice(0, MOST_NAME * 4) as Name), MOST_NAME)}"`
}

function plainText(text: string, most: number): string {
  const line = text.replace(/\r?\n/g, ' ').replace(CONTROLS, '\uFFFD')
  return line.length > most ? `${line.slice(0, most)}…` : line
}
