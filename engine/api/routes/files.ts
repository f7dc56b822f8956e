import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Bytes, TsbuildError } from '#core'
import type { Container } from '#engine/containers'
import type { PathStat } from '#engine/files'
import { CONFIG_SHAPE, type Config } from '#engine/model'
import { readBody } from '../http/body.ts'
import { Query } from '../http/query.ts'
import type { EngineServices } from '../services/engine-services.ts'
import type { Commit } from '../services/file-services.ts'
import { goneSignal } from '../streams/progress.ts'

/** The path of a route that is about one container. */
interface OfContainer {
  readonly Params: { readonly id: string }
}

type ContainerRequest = FastifyRequest<OfContainer>

const STAT_HEADER = 'X-Docker-Container-Path-Stat'
const TAR = 'application/x-tar'

/** What clients do with the files of containers. */
export function fileRoutes(app: FastifyInstance, { containers, files }: EngineServices): void {
  const find = (request: ContainerRequest): Container => containers.find(request.params.id)
  app.head<OfContainer>('/containers/:id/archive', async (request, reply) => {
    const container = find(request)
    const stat = await files.stat(container, askedPath(request), { signal: goneSignal(reply) })
    return await reply.header(STAT_HEADER, encodeStat(stat)).send()
  })
  app.get<OfContainer>('/containers/:id/archive', async (request, reply) => {
    const signal = goneSignal(reply)
    const { stat, tar } = await files.read(find(request), askedPath(request), { signal })
    return sendTar(reply.header(STAT_HEADER, encodeStat(stat)), tar)
  })
  app.put<OfContainer>('/containers/:id/archive', async (request, reply) => {
    const container = find(request)
    const query = new Query(request.url)
    const upload = {
      ...askedPath(request),
      tar: request.raw as AsyncIterable<Buffer>,
      isOwnedByUser: query.flag('copyUIDGID'),
      replacesKinds: !query.flag('noOverwriteDirNonDir'),
    }
    await files.write(container, upload, { signal: goneSignal(reply) })
    return await reply.status(200).send()
  })
  app.get<OfContainer>('/containers/:id/changes', async (request, reply) => {
    const changes = await files.changes(find(request), { signal: goneSignal(reply) })
    return await reply.send(changes.length === 0 ? null : changes)
  })
  app.get<OfContainer>('/containers/:id/export', async (request, reply) => {
    return sendTar(reply, await files.export(find(request), { signal: goneSignal(reply) }))
  })
  app.post('/commit', async (request, reply) => {
    const name = new Query(request.url).text('container')
    if (name === undefined) {
      throw new TsbuildError('invalid name or ID supplied: ""', { code: 'USAGE' })
    }
    const container = containers.find(name)
    const commit = await readCommit(request)
    const Id = await files.commit(container, commit, { signal: goneSignal(reply) })
    return await reply.status(201).send({ Id })
  })
}

/** @throws {TsbuildError} USAGE without a path */
function askedPath(request: ContainerRequest): {
  readonly path: string
  readonly container: string
} {
  const path = new Query(request.url).text('path')
  if (path !== undefined) return { path, container: request.params.id }
  throw new TsbuildError('bad parameter: path cannot be empty', { code: 'USAGE' })
}

function encodeStat(stat: PathStat): string {
  return Buffer.from(JSON.stringify(stat)).toString('base64')
}

/** What fails on the way breaks the connection: the answer must not look whole. */
function sendTar(reply: FastifyReply, tar: Bytes): FastifyReply {
  return reply.type(TAR).send(Readable.from(tar, { objectMode: false }))
}

async function readCommit(request: FastifyRequest): Promise<Commit> {
  const query = new Query(request.url)
  return {
    repository: query.text('repo'),
    tag: query.text('tag'),
    comment: query.text('comment'),
    author: query.text('author'),
    isPaused: query.flagOrOn('pause'),
    changes: query.all('changes'),
    config: await readConfig(request),
  }
}

/** Clients without a config send nothing, an empty document or null. */
async function readConfig(request: FastifyRequest): Promise<Config | undefined> {
  const config = await readBody(request, CONFIG_SHAPE)
  return Object.keys(config).length === 0 ? undefined : config
}
