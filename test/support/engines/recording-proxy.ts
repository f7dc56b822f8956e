import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'

/** A request to an engine. */
interface Recorded {
  readonly method: string
  /** Without its query. */
  readonly path: string
  /** Of the body. */
  readonly bytes: number
}

/** A socket in front of an engine's that remembers what is sent. */
export interface RecordingProxy extends AsyncDisposable {
  readonly socket: string
  /** What was sent since the last call. */
  taken(): readonly Recorded[]
}

/** @param target the engine's own socket */
export async function startRecordingProxy(target: string, socket: string): Promise<RecordingProxy> {
  const recorded: Recorded[] = []
  const pass = (incoming: IncomingMessage, response: ServerResponse): void => {
    const { method = '', url = '', headers } = incoming
    let bytes = 0
    const outgoing = request({ socketPath: target, method, path: url, headers }, (answer) => {
      recorded.push({ method, path: url.split('?')[0] ?? '', bytes })
      response.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(response)
    })
    outgoing.on('error', () => response.destroy())
    incoming.on('data', (chunk: Buffer) => {
      bytes += chunk.length
    })
    incoming.pipe(outgoing)
  }
  const server = createServer(pass).listen(socket)
  await once(server, 'listening')
  return {
    socket,
    taken: () => recorded.splice(0),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
