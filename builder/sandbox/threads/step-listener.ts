import { createServer, type Socket } from 'node:net'
import type { StepSocket } from '../root/step-mounts.ts'
import type { StartOptions } from '../spec/sandbox.ts'

/** Accepts connections to a socket of a step, until it is disposed of, which closes them all. */
export function listenOn(
  { target, descriptor }: StepSocket,
  onConnect: StartOptions['onConnect'],
): Disposable {
  const connections = new Set<Socket>()
  const server = createServer((connection) => {
    connections.add(connection)
    connection.on('close', () => connections.delete(connection))
    if (onConnect === undefined) connection.destroy()
    else onConnect(target, connection)
  })
  // Nothing but the end of the step depends on it.
  server.on('error', () => undefined)
  server.listen({ fd: descriptor })
  return {
    [Symbol.dispose]: () => {
      server.close()
      for (const connection of connections) connection.destroy()
    },
  }
}
