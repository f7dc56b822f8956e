import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { answerTo } from './canned-answers.ts'

/** A request, as it means the same whoever sends it. */
export interface EngineRecord {
  readonly method: string
  /** Without its version. */
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly body: unknown
}

/** An engine that does nothing and answers as if it had; what it is asked is kept. */
export interface RecordingEngine extends AsyncDisposable {
  readonly address: string
  /** What was asked since the last call, but for `/_ping`. */
  taken(): readonly EngineRecord[]
}

/** @param socket where it listens. @param version of the interface that it speaks */
export async function startRecordingEngine(
  socket: string,
  version: string,
): Promise<RecordingEngine> {
  const recorded: EngineRecord[] = []
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const record = await recordOf(request)
    response.setHeader('Api-Version', version)
    response.setHeader('Ostype', 'linux')
    if (record.path === '/_ping') {
      response.end(request.method === 'HEAD' ? '' : 'OK')
      return
    }
    recorded.push(record)
    const { status = 200, body } = answerTo(record)
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(body === undefined ? '' : JSON.stringify(body))
  }
  const server = createServer((request, response) => {
    answer(request, response).catch((cause) => response.destroy(cause))
  })
  server.on('upgrade', async (request, connection) => {
    recorded.push(await recordOf(request))
    const type = 'application/vnd.docker.raw-stream'
    connection.write(
      `HTTP/1.1 101 UPGRADED\r\nContent-Type: ${type}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n`,
    )
    connection.end()
  })
  server.listen(socket)
  await once(server, 'listening')
  return {
    address: `unix://${socket}`,
    taken: () => recorded.splice(0),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function recordOf(request: IncomingMessage): Promise<EngineRecord> {
  const { method = '', url = '', headers } = request
  const { pathname, searchParams } = new URL(url, 'http://engine')
  // The body of a request that is upgraded stays in its connection.
  const isRead = headers.upgrade === undefined && !/tar/.test(headers['content-type'] ?? '')
  const content = isRead ? await text(request) : ''
  if (!isRead) request.resume()
  return {
    method,
    path: pathname.replace(/^\/v[\d.]+/, ''),
    query: Object.fromEntries(searchParams),
    body: content.trim() === '' ? undefined : JSON.parse(content),
  }
}
