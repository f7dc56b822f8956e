import { Buffer } from 'node:buffer'
import type { Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import type { OpenAgent } from './agent-source.ts'
import { framed, framesOf } from './frames.ts'
import { FAILURE, REQUEST_IDENTITIES, SIGN_REQUEST } from './messages.ts'

/** A step may use keys, but neither add, remove nor lock them. */
const ALLOWED: readonly (number | undefined)[] = [REQUEST_IDENTITIES, SIGN_REQUEST]

/** Answers who has connected until either side hangs up. */
export async function serveAgent(client: Socket, open: OpenAgent): Promise<void> {
  client.on('error', () => undefined)
  try {
    using agent = open()
    for await (const request of framesOf(client)) {
      const isAllowed = ALLOWED.includes(request[0])
      const answer = isAllowed ? await agent.ask(request) : Buffer.from([FAILURE])
      if (!client.write(framed(answer))) await taken(client)
      // Signing takes its time: others of this thread have turns between.
      await setImmediate()
    }
  } catch {
    // What the client sees is a closed connection: that is all the protocol has for it.
  } finally {
    client.destroy()
  }
}

/** Whoever asks and asks without taking the answers has to wait: they are kept in memory. */
async function taken(client: Socket): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  client.once('drain', resolve).once('close', resolve)
  await promise
  client.off('drain', resolve).off('close', resolve)
}
