import type { FastifyInstance } from 'fastify'
import { TsbuildError } from '#core'
import type { LogLine } from '#engine/logs'
import { formatWholeTime, parseMoment } from '#engine/model'
import { Query } from '../http/query.ts'
import { versionOf } from '../http/request-version.ts'
import type { EngineServices, LogQuery } from '../services/engine-services.ts'
import { sendAsTheyCome } from '../streams/send-as-they-come.ts'
import { frame } from '../streams/stdcopy.ts'

/** The output of containers that was kept. */
export function logRoutes(app: FastifyInstance, services: EngineServices): void {
  app.get<{ readonly Params: { readonly id: string } }>(
    '/containers/:id/logs',
    (request, reply) => {
      const container = services.containers.find(request.params.id)
      const closed = new AbortController()
      reply.raw.on('close', () => closed.abort())
      const query = new Query(request.url)
      const wanted = logQuery(query, closed.signal)
      const isTerminal = container.record.config.Tty === true
      const kind = isTerminal ? 'raw' : 'multiplexed'
      const type = versionOf(request).minor >= 42 ? kind : 'raw'
      const lines = services.readLog(container, wanted)
      const shown = shownParts(query, services.logAttributes(container))
      const bytes = bytesOf(lines, { kind, shown })
      return sendAsTheyCome(reply.type(`application/vnd.docker.${type}-stream`), bytes)
    },
  )
}

function logQuery(query: Query, signal: AbortSignal): LogQuery {
  const [stdout, stderr] = [query.flag('stdout'), query.flag('stderr')]
  if (!stdout && !stderr) {
    throw new TsbuildError('Bad parameters: you must choose at least one stream', {
      code: 'USAGE',
    })
  }
  const moment = (name: string): bigint | undefined => {
    const text = query.text(name)
    return text === undefined || text === '0' ? undefined : parseMoment(text)
  }
  const tail = query.text('tail') ?? 'all'
  const lines = /^\d{1,12}$/.test(tail) ? Number(tail) : 'all'
  const follow = query.flag('follow')
  return {
    since: moment('since'),
    until: moment('until'),
    tail: lines,
    stdout,
    stderr,
    follow,
    signal,
  }
}

/** What stands before each line. */
interface ShownParts {
  readonly time: boolean
  /** The same for each line. */
  readonly details: string
}

function shownParts(query: Query, attributes: Readonly<Record<string, string>>): ShownParts {
  const details = Object.entries(attributes)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .toSorted()
    .join(',')
  return { time: query.flag('timestamps'), details: query.flag('details') ? `${details} ` : '' }
}

async function* bytesOf(
  lines: AsyncIterable<LogLine>,
  { kind, shown }: { readonly kind: 'raw' | 'multiplexed'; readonly shown: ShownParts },
): AsyncGenerator<Uint8Array> {
  for await (const line of lines) {
    const parts = [Buffer.from(prefixOf(line, shown)), line.data]
    yield kind === 'raw' ? Buffer.concat(parts) : frame(line.stream, ...parts)
  }
}

/** Once for each line, whose pieces follow each other. */
function prefixOf({ time, isContinued }: LogLine, shown: ShownParts): string {
  if (isContinued) return ''
  return `${shown.time ? `${formatWholeTime(time)} ` : ''}${shown.details}`
}
