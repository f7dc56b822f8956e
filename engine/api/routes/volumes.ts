import type { FastifyInstance } from 'fastify'
import { type Shape, shapes, TsbuildError } from '#core'
import type { VolumeRequest } from '#engine/volumes'
import { readBody } from '../http/body.ts'
import { Query } from '../http/query.ts'
import { versionOf } from '../http/request-version.ts'
import type { EngineServices } from '../services/engine-services.ts'

/** The body of POST /volumes/create. */
interface VolumeBody {
  readonly Name?: string
  readonly Driver?: string
  readonly DriverOpts?: Readonly<Record<string, string>>
  readonly Labels?: Readonly<Record<string, string>>
  readonly ClusterVolumeSpec?: Readonly<Record<string, never>>
}

const VOLUME_SHAPE: Shape<VolumeBody> = shapes.object({
  Name: shapes.string,
  Driver: shapes.string,
  DriverOpts: shapes.map(shapes.string),
  Labels: shapes.map(shapes.string),
  ClusterVolumeSpec: shapes.object({}),
})

interface OfVolume {
  readonly Params: { readonly name: string }
}

/** What clients do with volumes. */
export function volumeRoutes(app: FastifyInstance, { volumes }: EngineServices): void {
  app.get('/volumes', async (request) => {
    const filters = new Query(request.url).filters(['dangling', 'driver', 'label', 'name'])
    const Volumes = volumes.list(filters).map((record) => volumes.describe(record))
    return await Promise.resolve({ Volumes, Warnings: null })
  })
  app.post('/volumes/create', async (request, reply) => {
    const record = volumes.create(requestOf(await readBody(request, VOLUME_SHAPE)))
    return await reply.status(201).send(volumes.describe(record))
  })
  app.get<OfVolume>(
    '/volumes/:name',
    async (request) => await Promise.resolve(volumes.describe(volumes.find(request.params.name))),
  )
  app.delete<OfVolume>('/volumes/:name', async (request, reply) => {
    await volumes.remove(request.params.name, { force: new Query(request.url).flag('force') })
    return await reply.status(204).send()
  })
  app.post('/volumes/prune', async (request) => {
    const filters = new Query(request.url).filters(['all', 'label', 'label!'])
    const [all] = filters.get('all') ?? []
    // Before 1.42 there was no other way to remove those with names.
    const kinds = versionOf(request).minor < 42 || isOn(all) ? 'all' : 'anonymous'
    const { names, reclaimed } = await volumes.prune(filters, { kinds })
    return { VolumesDeleted: names, SpaceReclaimed: reclaimed }
  })
}

function isOn(text: string | undefined): boolean {
  return text === '1' || text === 'true'
}

function requestOf(body: VolumeBody): VolumeRequest {
  const { Name, Driver, DriverOpts, Labels, ClusterVolumeSpec } = body
  if (ClusterVolumeSpec !== undefined) {
    throw new TsbuildError('this daemon is in no swarm, and has no cluster volumes', {
      code: 'UNSUPPORTED',
    })
  }
  return { name: Name, driver: Driver, options: DriverOpts, labels: Labels }
}
