import { connect } from 'node:net'
import { framed, framesOf } from './frames.ts'
import type { Agent } from './messages.ts'

/** The agent that listens on a socket of the host. The connection fails when it is first used. */
export function socketAgent(path: string): Agent {
  const connection = connect(path)
  // Whoever waits for a reply hears of it.
  connection.on('error', () => undefined)
  const replies = framesOf(connection)
  return {
    ask: async (request) => {
      connection.write(framed(request))
      const { value, done } = await replies.next()
      if (done === true) throw new Error('the agent has hung up')
      return value
    },
    [Symbol.dispose]: () => void connection.destroy(),
  }
}
