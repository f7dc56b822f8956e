import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import type { Json } from '#core'

/** Answers with one JSON document a line, each as soon as it is there. @param type of the content */
export function sendJsonLines(
  reply: FastifyReply,
  documents: AsyncIterable<Json>,
  type = 'application/json',
): FastifyReply {
  return reply.type(type).send(Readable.from(linesOf(documents), { objectMode: false }))
}

async function* linesOf(documents: AsyncIterable<Json>): AsyncGenerator<string> {
  for await (const document of documents) yield `${JSON.stringify(document)}\n`
}
