import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import type { ProgressMessage } from '#engine/images'

/** Aborts when the client is gone before it has its whole answer. */
export function goneSignal({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController()
  raw.on('close', () => {
    if (!raw.writableFinished) gone.abort()
  })
  return gone.signal
}

/** Answers with messages, each as soon as it is there. What fails before the first one is the answer's failure. */
export async function sendProgress(
  reply: FastifyReply,
  messages: AsyncIterable<ProgressMessage>,
): Promise<FastifyReply> {
  const iterator = messages[Symbol.asyncIterator]()
  const first = await iterator.next()
  const lines = async function* (): AsyncGenerator<string> {
    try {
      for (let next = first; next.done !== true; next = await iterator.next()) {
        yield `${JSON.stringify(next.value)}\r\n`
      }
    } finally {
      await iterator.return?.()
    }
  }
  return reply.type('application/json').send(Readable.from(lines(), { objectMode: false }))
}
