import type { FastifyRequest } from 'fastify'
import { isJsonObject, type Json, type JsonObject, TsbuildError } from '#core'
import { type Container, commandOf, describeStatus } from '#engine/containers'
import {
  byCreation,
  type ContainerStatus,
  type Filters,
  matchesAny,
  matchesLabels,
  mountPointsOf,
  nameFilter,
} from '#engine/model'
import type { ManifestDescriptors } from '../facts/manifest-descriptors.ts'
import { Query } from '../http/query.ts'
import { versionOf } from '../http/request-version.ts'
import type { EngineServices } from '../services/engine-services.ts'

const FILTERS = [
  ...['ancestor', 'before', 'expose', 'exited', 'health', 'id', 'isolation', 'is-task', 'label'],
  ...['label!', 'name', 'network', 'publish', 'since', 'status', 'volume'],
]

/** The document of GET /containers/json. @throws {TsbuildError} USAGE, NOT_FOUND */
export async function listContainers(
  services: EngineServices,
  request: FastifyRequest,
  descriptors: ManifestDescriptors,
): Promise<Json> {
  const query = new Query(request.url)
  const filters = query.filters(FILTERS)
  const limit = query.integer('limit') ?? -1
  const all = query.flag('all') || limit > 0 || filters.has('status') || filters.has('exited')
  const found = newestFirst(services)
    .filter((one) => all || isShown(one.record.state.status))
    .filter(containerFilter(filters, services))
  const shown = limit > 0 ? found.slice(0, limit) : found
  const { minor } = versionOf(request)
  const isSized = query.flag('size')
  return await Promise.all(
    shown.map(async (one) => ({
      ...summaryOf(one, services),
      ...(isSized ? await sizeOf(one, services) : {}),
      ...(minor < 48 ? {} : descriptorOf(await descriptors.of(one.record))),
      ...(minor < 52 ? {} : healthOf(one)),
    })),
  )
}

function newestFirst({ containers }: EngineServices): readonly Container[] {
  return containers.all().toSorted((a, b) => byCreation(b.record, a.record))
}

function descriptorOf(descriptor: Json | undefined): JsonObject {
  return descriptor === undefined ? {} : { ImageManifestDescriptor: descriptor }
}

function healthOf({ health }: Container): JsonObject {
  const { Status = 'none', FailingStreak = 0 } = health?.document() ?? {}
  return { Health: { Status, FailingStreak } }
}

/** What the files of a container take, as documents have it. */
export async function sizeOf(
  container: Container,
  { files }: EngineServices,
): Promise<{ readonly SizeRw: number; readonly SizeRootFs: number }> {
  const { changed, total } = await files.size(container)
  return { SizeRw: changed, SizeRootFs: total }
}

/** All containers with what their files take, newest first. */
export async function summariesWithSize(services: EngineServices): Promise<readonly JsonObject[]> {
  return await Promise.all(
    newestFirst(services).map(async (one) => ({
      ...summaryOf(one, services),
      ...(await sizeOf(one, services)),
      ...healthOf(one),
    })),
  )
}

function isShown(status: ContainerStatus): boolean {
  return status === 'running' || status === 'paused' || status === 'restarting'
}

const STATUSES: readonly string[] = [
  ...['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'],
]

/** @throws {TsbuildError} USAGE, NOT_FOUND */
function containerFilter(
  filters: Filters,
  services: EngineServices,
): (container: Container) => boolean {
  const wrong = (filters.get('status') ?? []).find((status) => !STATUSES.includes(status))
  if (wrong !== undefined) {
    const reason = `invalid value for state (${wrong}): must be one of ${STATUSES.join(', ')}`
    throw new TsbuildError(`invalid filter 'status=${wrong}': ${reason}`, { code: 'USAGE' })
  }
  const isNamed = nameFilter(filters)
  return (container) =>
    isNamed(container.name, `/${container.name}`) && fits(container, filters, services)
}

function fits(container: Container, filters: Filters, services: EngineServices): boolean {
  const { containers, networks } = services
  const { record } = container
  const { state, image, mounts, config } = record
  const names = Object.keys(record.endpoints)
  return (
    matchesLabels(filters, config.Labels) &&
    matchesAny(filters, 'id', (id) => record.id.startsWith(id)) &&
    matchesAny(filters, 'status', (status) => status === state.status) &&
    matchesAny(
      filters,
      'exited',
      (code) => state.status === 'exited' && `${state.exitCode}` === code,
    ) &&
    matchesAny(filters, 'network', (network) => names.includes(network)) &&
    matchesAny(filters, 'volume', (volume) =>
      mounts.some(({ Name, Destination }) => Name === volume || Destination === volume),
    ) &&
    matchesAny(filters, 'publish', (port) =>
      hasPort(portsOf(networks.settings(record)), port, 'published'),
    ) &&
    matchesAny(filters, 'expose', (port) =>
      hasPort(portsOf(networks.settings(record)), port, 'exposed'),
    ) &&
    matchesAny(filters, 'health', (health) => health === (container.health?.status ?? 'none')) &&
    matchesAny(filters, 'ancestor', (name) => isOf(image, name)) &&
    matchesAny(filters, 'before', (id) => byCreation(record, containers.find(id).record) < 0) &&
    matchesAny(filters, 'since', (id) => byCreation(record, containers.find(id).record) > 0)
  )
}

function isOf(image: Container['record']['image'], name: string): boolean {
  const id = name.replace(/^sha256:/, '')
  return (
    image.name === name ||
    image.name === `${name}:latest` ||
    `${image.name}:latest` === name ||
    (/^[0-9a-f]{4,64}$/.test(id) && image.id.startsWith(`sha256:${id}`))
  )
}

function summaryOf(container: Container, services: EngineServices): JsonObject {
  const { record } = container
  const { Networks = {}, Ports = {} } = services.networks.settings(record)
  return {
    Id: record.id,
    Names: [`/${record.name}`],
    Image: record.image.name,
    ImageID: record.image.id,
    Command: commandLine(commandOf(record.config)),
    Created: Math.floor(Date.parse(record.created) / 1000),
    Ports: portList(Ports),
    Labels: record.config.Labels ?? {},
    State: record.state.status,
    Status: describeStatus(record.state, container.health?.status),
    HostConfig: { NetworkMode: record.hostConfig.NetworkMode || 'bridge' },
    NetworkSettings: { Networks: withoutNames(Networks) },
    Mounts: mountPointsOf(record) as unknown as Json,
  }
}

/** Lists do not say what containers are called in networks. */
function withoutNames(networks: Json): JsonObject {
  const endpoints = isJsonObject(networks) ? Object.entries(networks) : []
  return Object.fromEntries(
    endpoints.map(([name, endpoint]) => [
      name,
      { ...(isJsonObject(endpoint) ? endpoint : {}), Aliases: null, DNSNames: null },
    ]),
  )
}

/** Words with blanks are quoted. */
function commandLine(words: readonly string[]): string {
  return words.map((word) => (/[\s'"]/.test(word) ? `'${word}'` : word)).join(' ')
}

/** A port of a container, and the ports of this machine that lead to it. */
interface ListedPort {
  readonly own: number
  readonly protocol: string
  readonly published: readonly number[]
}

function portsOf({ Ports = {} }: JsonObject): readonly ListedPort[] {
  if (!isJsonObject(Ports)) return []
  return Object.entries(Ports).map(([port, bindings]) => {
    const [number, protocol = 'tcp'] = port.split('/')
    const all = Array.isArray(bindings) ? bindings.filter(isJsonObject) : []
    return { own: Number(number), protocol, published: all.map(({ HostPort }) => Number(HostPort)) }
  })
}

/** Whether a port, or one of a range, is among them: `80`, `80/udp`, `8000-8080/tcp`. */
function hasPort(
  ports: readonly ListedPort[],
  text: string,
  kind: 'published' | 'exposed',
): boolean {
  const [range = '', wanted = 'tcp'] = text.split('/')
  const [first = '', last = first] = range.split('-')
  const isAmong = (port: number): boolean => port >= Number(first) && port <= Number(last)
  return ports.some(
    ({ own, protocol, published }) =>
      protocol === wanted && (kind === 'published' ? published.some(isAmong) : isAmong(own)),
  )
}

/** Where ports lead from, as a list: those that are published, and those that are not. */
function portList(ports: Json): Json {
  if (!isJsonObject(ports)) return []
  return Object.entries(ports).flatMap(([port, bindings]) => {
    const [number = '', Type = 'tcp'] = port.split('/')
    const PrivatePort = Number(number)
    if (!Array.isArray(bindings)) return [{ PrivatePort, Type }]
    return bindings.filter(isJsonObject).map(({ HostIp, HostPort }) => ({
      ...(HostIp === '' ? {} : { IP: HostIp ?? '' }),
      PrivatePort,
      PublicPort: Number(HostPort),
      Type,
    }))
  })
}
