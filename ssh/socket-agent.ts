import { connect } from 'node:net'
import { framed, framesOf } from './frames.ts'
import type { Agent } from './messages.ts'

/** The agent that listens on a socket of the host. The connection fails when it is first used. */
export function socketAgent(path: string): Agent {
  const connection = connect(path)
  // It ends the replies, which `ask` reports.
  connection.on('error', () => undefined)
  const replies = framesOf(connection)
  return {
    ask: async (request) => {
      connection.write(framed(request))
      const { value, done } = await replies.next()
      if (done === true) throw new Error('the agent closed the connection')
      return value
    },
    [Symbol.dispose]: () => void connection.destroy(),
  }
}
