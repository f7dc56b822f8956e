import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A server before a registry that lets no body through which is larger than `limit` bytes, as nginx does. */
export interface LimitingFront extends AsyncDisposable {
  readonly host: string
}

export async function startLimitingFront(target: string, limit: number): Promise<LimitingFront> {
  const server = createServer((incoming, response) => {
    const { method, url, headers } = incoming
    const isEndless = headers['transfer-encoding'] !== undefined
    if (isEndless || Number(headers['content-length'] ?? 0) > limit) {
      response.writeHead(413, { connection: 'close' }).end('<h1>413 Request Entity Too Large</h1>')
      return
    }
    const outgoing = request(`http://${target}${url}`, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    outgoing.on('error', () => response.destroy())
    incoming.pipe(outgoing)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
