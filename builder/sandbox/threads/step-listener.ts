import { createServer, type Socket } from 'node:net'
import type { StepSocket } from '../root/step-mounts.ts'
import type { RunOptions } from '../spec/sandbox.ts'

/** Lets a step's processes in on one of its sockets until it is disposed of, which sends all away. */
export function listenOn(
  { target, descriptor }: StepSocket,
  onConnect: RunOptions['onConnect'],
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
