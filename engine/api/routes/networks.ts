import type { FastifyInstance } from 'fastify'
import { type JsonObject, TsbuildError } from '#core'
import type { Container } from '#engine/containers'
import {
  NETWORK_CONNECT_SHAPE,
  NETWORK_CREATE_SHAPE,
  NETWORK_DISCONNECT_SHAPE,
} from '#engine/model'
import { readBody } from '../http/body.ts'
import { Query } from '../http/query.ts'
import { versionOf } from '../http/request-version.ts'
import type { EngineServices } from '../services/engine-services.ts'

interface OfNetwork {
  readonly Params: { readonly id: string }
}

/** What clients do with networks. */
export function networkRoutes(app: FastifyInstance, services: EngineServices): void {
  const { containers, networks } = services
  const findEndpoint = (name: string): Container => {
    const found = containers.all().find(({ id, name: its }) => id === name || its === name)
    if (found !== undefined) return found
    throw new TsbuildError(`endpoint ${name} not found`, { code: 'NOT_FOUND' })
  }
  const inspect = (id: string, minor: number): JsonObject => {
    const { Status = {}, ...document } = networks.inspect(id)
    return minor < 52 ? document : { ...document, Status }
  }
  app.get('/networks', async (request) => {
    const { minor } = versionOf(request)
    const found = networks.list(new Query(request.url).text('filters'))
    // Until 1.27 lists say of networks what inspecting them does.
    return await Promise.resolve(
      minor < 28 ? found.map(({ Id }) => inspect(`${Id}`, minor)) : found,
    )
  })
  app.get<OfNetwork>('/networks/:id', async (request) => {
    return await Promise.resolve(inspect(request.params.id, versionOf(request).minor))
  })
  app.post('/networks/create', async (request, reply) => {
    const { id } = networks.create(await readBody(request, NETWORK_CREATE_SHAPE))
    return await reply.status(201).send({ Id: id, Warning: '' })
  })
  app.delete<OfNetwork>('/networks/:id', async (request, reply) => {
    await networks.remove(request.params.id)
    return await reply.status(204).send()
  })
  app.post<OfNetwork>('/networks/:id/connect', async (request, reply) => {
    const { Container = '', EndpointConfig } = await readBody(request, NETWORK_CONNECT_SHAPE)
    const container = containers.find(Container)
    const { id } = request.params
    const change = await networks.connect(container.record, id, EndpointConfig)
    container.change({ endpoints: change(container.record.endpoints) })
    services.updateNames(container.record)
    return await reply.status(200).send()
  })
  app.post<OfNetwork>('/networks/:id/disconnect', async (request, reply) => {
    const { Container = '', Force } = await readBody(request, NETWORK_DISCONNECT_SHAPE)
    const container = Force === true ? findEndpoint(Container) : containers.find(Container)
    const change = await networks.disconnect(container.record, request.params.id)
    container.change({ endpoints: change(container.record.endpoints) })
    services.updateNames(container.record)
    return await reply.status(200).send()
  })
  app.post('/networks/prune', async (request) => {
    const found = await networks.prune(new Query(request.url).text('filters'))
    const NetworksDeleted = found.length === 0 ? null : found
    return { NetworksDeleted }
  })
}
