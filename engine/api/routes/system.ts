import { arch, release } from 'node:os'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { JsonObject } from '#core'
import { formatVersion, NEWEST, OLDEST } from '../http/api-version.ts'
import { Query } from '../http/query.ts'
import { versionOf } from '../http/request-version.ts'
import type { EngineServices } from '../services/engine-services.ts'
import { eventsOf } from '../streams/event-stream.ts'
import { sendJsonLines, streamType } from '../streams/json-lines.ts'
import { diskUsage } from './disk-usage.ts'
import { infoOf } from './info.ts'

/** What clients ask of the daemon itself. */
export function systemRoutes(app: FastifyInstance, services: EngineServices): void {
  const ping = async (reply: FastifyReply): Promise<string> => {
    reply.headers({
      'Builder-Version': '2',
      Swarm: 'inactive',
      'Cache-Control': 'no-cache, no-store, must-revalidate',
      Pragma: 'no-cache',
    })
    reply.type('text/plain; charset=utf-8')
    return await Promise.resolve('OK')
  }
  app.get('/_ping', { exposeHeadRoute: true }, (_request, reply) => ping(reply))
  app.get('/version', async () => await Promise.resolve(versionDocument(services.version)))
  app.get('/info', async (request) => await infoOf(services, versionOf(request)))
  app.get('/system/df', async (request) => {
    const query = new Query(request.url)
    const usage = { types: query.all('type'), verbose: query.flag('verbose') }
    return await diskUsage(services, usage, versionOf(request))
  })
  app.get('/events', (request, reply) => {
    const query = new Query(request.url)
    const filters = query.filters()
    const closed = new AbortController()
    reply.raw.on('close', () => closed.abort())
    const { minor } = versionOf(request)
    const events = eventsOf(services.events, {
      filters,
      since: query.text('since'),
      until: query.text('until'),
      signal: closed.signal,
      minor,
    })
    const usual = minor < 52 ? 'application/json' : 'application/jsonl'
    return sendJsonLines(reply, events, streamType(request.headers.accept, usual))
  })
}

function versionDocument(version: string): JsonObject {
  const details = {
    ApiVersion: formatVersion(NEWEST),
    MinAPIVersion: formatVersion(OLDEST),
    Os: 'linux',
    Arch: ARCHITECTURES[arch()] ?? arch(),
    KernelVersion: release(),
    GitCommit: '',
    GoVersion: '',
    BuildTime: '',
  }
  return {
    Platform: { Name: 'tsbuild' },
    Components: [
      { Name: 'Engine', Version: version, Details: { ...details, Experimental: 'false' } },
    ],
    Version: version,
    ...details,
  }
}

/** Names of Go, by those of Node. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: 'amd64',
  arm64: 'arm64',
  ia32: '386',
}
