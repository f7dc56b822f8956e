import { Buffer } from 'node:buffer'
import type { Duplex } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import type { OpenAgent } from './agent-source.ts'
import { framed, framesOf } from './frames.ts'
import { FAILURE, REQUEST_IDENTITIES, SIGN_REQUEST } from './messages.ts'

/** A step may use keys, but neither add, remove nor lock them. */
const ALLOWED: readonly (number | undefined)[] = [REQUEST_IDENTITIES, SIGN_REQUEST]

/** Answers the requests of one connection until either side closes it. */
export async function serveAgent(client: Duplex, open: OpenAgent): Promise<void> {
  client.on('error', () => undefined)
  try {
    using agent = open()
    for await (const request of framesOf(client)) {
      const isAllowed = ALLOWED.includes(request[0])
      const answer = isAllowed ? await agent.ask(request) : Buffer.from([FAILURE])
      if (!client.write(framed(answer))) await waitForDrain(client)
      // Signing takes long: other work of this thread runs in between.
      await setImmediate()
    }
  } catch {
    // The client sees a closed connection: the protocol has no other answer.
  } finally {
    client.destroy()
  }
}

/** Back-pressure: answers that the client does not read would be kept in memory. */
async function waitForDrain(client: Duplex): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  client.once('drain', resolve).once('close', resolve)
  await promise
  client.off('drain', resolve).off('close', resolve)
}
