import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'

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

/** An answer of the engine. */
interface Canned {
  readonly status?: number
  readonly body?: unknown
}

const ID = 'a'.repeat(64)

const CONTAINER = {
  Id: ID,
  Name: '/web',
  Created: '2026-01-31T12:00:00.000000001Z',
  Path: 'sh',
  Args: [],
  Image: `sha256:${'b'.repeat(64)}`,
  State: { Status: 'running', Running: true, Paused: false, Restarting: false, ExitCode: 0 },
  Config: { Tty: false, OpenStdin: true, Image: 'busybox', Env: [], Labels: {} },
  HostConfig: { AutoRemove: false, NetworkMode: 'bridge' },
  NetworkSettings: { Ports: { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }] }, Networks: {} },
  Mounts: [],
}

/** Answers by method and path; the first that fits counts. */
const ANSWERS: readonly (readonly [RegExp, Canned])[] = [
  [/^POST \/containers\/create$/, { status: 201, body: { Id: ID, Warnings: [] } }],
  [/^POST \/containers\/prune$/, { body: { ContainersDeleted: [], SpaceReclaimed: 0 } }],
  [/^POST \/images\/prune$/, { body: { ImagesDeleted: [], SpaceReclaimed: 0 } }],
  [/^POST \/volumes\/prune$/, { body: { VolumesDeleted: [], SpaceReclaimed: 0 } }],
  [/^POST \/networks\/prune$/, { body: { NetworksDeleted: [] } }],
  [/^POST \/build\/prune$/, { body: { CachesDeleted: [], SpaceReclaimed: 0 } }],
  [/^POST \/containers\/[^/]+\/wait$/, { body: { StatusCode: 0 } }],
  [/^POST \/containers\/[^/]+\/update$/, { body: { Warnings: [] } }],
  [/^POST \/containers\/[^/]+\/exec$/, { status: 201, body: { Id: ID } }],
  [/^GET \/exec\/[^/]+\/json$/, { body: { ID, Running: false, ExitCode: 0, Pid: 1 } }],
  [/^GET \/containers\/json$/, { body: [] }],
  [/^GET \/containers\/[^/]+\/json$/, { body: CONTAINER }],
  [/^GET \/containers\/[^/]+\/top$/, { body: { Titles: ['PID'], Processes: [['1']] } }],
  [/^GET \/containers\/[^/]+\/changes$/, { body: [] }],
  [/^POST \/commit$/, { status: 201, body: { Id: `sha256:${ID}` } }],
  [/^POST \/volumes\/create$/, { status: 201, body: { Name: 'data' } }],
  [/^GET \/volumes$/, { body: { Volumes: [], Warnings: [] } }],
  [/^GET \/volumes\/[^/]+$/, { body: { Name: 'data', Driver: 'local' } }],
  [/^POST \/networks\/create$/, { status: 201, body: { Id: ID, Warning: '' } }],
  [/^GET \/networks$/, { body: [] }],
  [/^GET \/networks\/[^/]+$/, { body: { Name: 'net', Id: ID, Scope: 'local' } }],
  [
    /^GET \/system\/df$/,
    { body: { LayersSize: 0, Images: [], Containers: [], Volumes: [], BuildCache: [] } },
  ],
  [/^GET \/info$/, { body: { ID: 'x', OSType: 'linux', ServerVersion: '1' } }],
  [/^DELETE /, { status: 204 }],
  [/^POST /, { status: 204 }],
  [/^GET /, { body: {} }],
]

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

function answerTo({ method, path }: EngineRecord): Canned {
  return ANSWERS.find(([pattern]) => pattern.test(`${method} ${path}`))?.[1] ?? { status: 404 }
}
