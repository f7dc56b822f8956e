import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import type { Bytes } from '#core'

/**
 * Answers with bytes that may come late. The head does not wait for them: clients do nothing else before they have it,
 * not even what would make the bytes come.
 */
export function sendAsTheyCome(reply: FastifyReply, bytes: Bytes): FastifyReply {
  const { raw } = reply
  raw.once('pipe', () => raw.flushHeaders())
  return reply.send(Readable.from(bytes, { objectMode: false }))
}
