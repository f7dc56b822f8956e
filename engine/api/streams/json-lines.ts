import type { FastifyReply } from 'fastify'
import type { Json } from '#core'
import { sendAsTheyCome } from './send-as-they-come.ts'

/** RFC 7464: each document has a separator before it. */
const SEQUENCE = 'application/json-seq'
/** Types of streams that clients may ask for. */
const TYPES = [SEQUENCE, 'application/jsonl', 'application/x-ndjson']

/** The type that a client accepts of those that streams have, else the usual one. */
export function streamType(accept: string | undefined, usual: string): string {
  const accepted = (accept ?? '').split(',').map((part) => part.replace(/;.*/, '').trim())
  return accepted.find((type) => TYPES.includes(type)) ?? usual
}

/** Answers with one JSON document a line, each as soon as it is there. @param type of the content */
export function sendJsonLines(
  reply: FastifyReply,
  documents: AsyncIterable<Json>,
  type = 'application/json',
): FastifyReply {
  const separator = type === SEQUENCE ? '\u001e' : ''
  return sendAsTheyCome(reply.type(type), linesOf(documents, separator))
}

async function* linesOf(
  documents: AsyncIterable<Json>,
  separator: string,
): AsyncGenerator<Uint8Array> {
  for await (const document of documents) {
    yield Buffer.from(`${separator}${JSON.stringify(document)}\n`)
  }
}
