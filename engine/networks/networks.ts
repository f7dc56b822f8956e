import { readFileSync } from 'node:fs'
import {
  type ContainerNetworks,
  FollowedResolvConf,
  hostPrefixes,
  readHostResolvConf,
} from '#builder/network'
import { type JsonObject, Resources, TsbuildError } from '#core'
import {
  byCreation,
  type ContainerRecord,
  type EndpointConfig,
  findNamed,
  type NetworkCreateBody,
  parseLink,
} from '#engine/model'
import type { Documents, NewEvent } from '#engine/state'
import { ContainerNetwork, type HostFiles } from './container-network.ts'
import { checkEndpoint } from './endpoints/check-endpoint.ts'
import { namesIn, restingSettings } from './endpoints/endpoint-settings.ts'
import type { Link } from './endpoints/links.ts'
import { LiveNetwork } from './endpoints/live-network.ts'
import { checkPorts, hasPublished } from './endpoints/port-requests.ts'
import {
  checkConnectable,
  type EndpointsChange,
  inOrder,
  isCalled,
  isOfHost,
  withHardwareAddress,
  without,
} from './endpoints/record-endpoints.ts'
import { networkDocument, networkSummary } from './network-documents.ts'
import { createNetwork } from './records/create-network.ts'
import { networkFilter, pruneFilter } from './records/network-filters.ts'
import { isPredefined, type NetworkRecord, PREDEFINED } from './records/network-record.ts'
import { predefinedNetworks } from './records/predefined-networks.ts'

/** What networks are kept and made with. */
export interface NetworksOptions {
  readonly documents: Documents<NetworkRecord>
  readonly emit: (event: NewEvent) => void
  /** Opens the networks of this machine; called for the first container that has one. */
  readonly open: () => Promise<ContainerNetworks>
}

/** The networks of an engine, and those of its containers that run. */
export class Networks implements AsyncDisposable {
  readonly #options: NetworksOptions
  readonly #live = new Map<string, LiveNetwork>()
  readonly #running = new Map<string, ContainerNetwork>()
  readonly #files: HostFiles
  #opened: Promise<ContainerNetworks> | undefined

  /** Makes those that every engine has. @throws {TsbuildError} IO_FAILED when this machine has no network left for them */
  constructor(options: NetworksOptions) {
    this.#options = options
    const { documents } = options
    for (const record of predefinedNetworks(documents.all(), hostPrefixes())) documents.put(record)
    const conf = new FollowedResolvConf()
    this.#files = {
      hosts: () => readFileSync('/etc/hosts', 'utf8'),
      resolvConf: readHostResolvConf,
      servers: () => conf.current().servers,
    }
  }

  /** @throws {TsbuildError} USAGE, CONFLICT, NOT_FOUND, PERMISSION_DENIED */
  create(body: NetworkCreateBody): NetworkRecord {
    const { documents, emit } = this.#options
    const networks = documents.all()
    const seed = networks.find(({ name }) => name === PREDEFINED.bridge)?.id ?? ''
    const record = createNetwork(body, { networks, hostPrefixes: hostPrefixes(), seed })
    documents.put(record)
    emit({ Type: 'network', Action: 'create', id: record.id, attributes: attributesOf(record) })
    return record
  }

  /** By id, name, or the beginning of an id. @throws {TsbuildError} NOT_FOUND, USAGE */
  find(text: string): NetworkRecord {
    const name = text === 'default' ? PREDEFINED.bridge : text
    try {
      return findNamed(this.#options.documents.all(), name, 'network')
    } catch (cause) {
      if (!(cause instanceof TsbuildError) || cause.code !== 'NOT_FOUND') throw cause
      throw new TsbuildError(`network ${text} not found`, { code: 'NOT_FOUND', cause })
    }
  }

  /** The documents of GET /networks, newest last. @param filters as the query has them. @throws {TsbuildError} USAGE */
  list(filters?: string): readonly JsonObject[] {
    const isListed = networkFilter(filters, (network) => this.#isUsed(network))
    return this.#options.documents.all().filter(isListed).toSorted(byCreation).map(networkSummary)
  }

  /** The document of GET /networks/{id}. @throws {TsbuildError} NOT_FOUND, USAGE */
  inspect(text: string): JsonObject {
    return networkDocument(this.#liveOf(this.find(text)))
  }

  /** @throws {TsbuildError} NOT_FOUND, PERMISSION_DENIED for one that is used, or that every engine has */
  async remove(text: string): Promise<void> {
    const record = this.find(text)
    const { id, name } = record
    if (isPredefined(record)) {
      const message = `${name} is a pre-defined network and cannot be removed`
      throw new TsbuildError(message, { code: 'PERMISSION_DENIED' })
    }
    const used = [...(this.#live.get(id)?.endpoints.values() ?? [])]
    if (used.length > 0) {
      const who = used.map(
        ({ container, ...endpoint }) => `name:"${container.name}" id:"${endpoint.id.slice(0, 12)}"`,
      )
      const message = `error while removing network: network ${name} has active endpoints (${who.join(', ')})`
      throw new TsbuildError(message, { code: 'PERMISSION_DENIED' })
    }
    this.#options.documents.delete(id)
    const live = this.#live.get(id)
    this.#live.delete(id)
    await live?.close()
    const attributes = attributesOf(record)
    this.#options.emit({ Type: 'network', Action: 'destroy', id, attributes })
  }

  /**
   * Removes networks that no running container uses, as docker does.
   * @returns their names
   * @throws {TsbuildError} USAGE
   */
  async prune(filters: string | undefined): Promise<readonly string[]> {
    const isPruned = pruneFilter(filters)
    const unused = this.#options.documents
      .all()
      .filter((network) => !(isPredefined(network) || this.#isUsed(network)))
      .filter(isPruned)
    for (const { id } of unused) await this.remove(id)
    const { emit } = this.#options
    emit({ Type: 'network', Action: 'prune', id: '', attributes: { reclaimed: '0' } })
    return unused.map(({ name }) => name)
  }

  /**
   * Says what is wrong with the networks and ports of a container that is to be made. Networks that are not there yet
   * are looked for when it starts.
   * @throws {TsbuildError} USAGE
   * @returns warnings
   */
  check(record: Pick<ContainerRecord, 'config' | 'hostConfig' | 'endpoints'>): readonly string[] {
    checkPorts(record)
    for (const [name, config] of Object.entries(record.endpoints)) {
      const network = this.#options.documents.all().find((one) => isCalled(one, name))
      if (network === undefined) continue
      try {
        checkEndpoint(network, config)
      } catch (cause) {
        if (!(cause instanceof TsbuildError)) throw cause
        if (cause.message.startsWith('invalid JSON')) throw cause
        const message = `invalid config for network ${network.name}: ${cause.message}`
        throw new TsbuildError(message, { code: cause.code, cause })
      }
    }
    const isDiscarded = record.hostConfig.NetworkMode === 'host' && hasPublished(record.hostConfig)
    return isDiscarded ? ['Published ports are discarded when using host network mode'] : []
  }

  /**
   * Makes the network of a container that is to start: it is in all of its networks, and its ports are published.
   * @throws {TsbuildError} NOT_FOUND for a network, PERMISSION_DENIED and IO_FAILED in docker's words
   */
  async enter(record: ContainerRecord): Promise<ContainerNetwork> {
    const links = this.#linksOf(record)
    try {
      const endpoints = record.config.NetworkDisabled === true ? {} : record.endpoints
      const networks = inOrder(endpoints).map(
        ([name, config]) => [this.#liveOf(this.find(name)), config] as const,
      )
      const place = isOfHost(record) ? undefined : await (await this.#machine()).makePlace()
      const { emit } = this.#options
      const entered = new ContainerNetwork(record, place, { files: this.#files, emit, links })
      try {
        for (const [network, config] of networks) {
          await entered.join(network, withHardwareAddress(record, network.record, config))
        }
        await entered.settle()
      } catch (cause) {
        await entered[Symbol.asyncDispose]()
        throw cause
      }
      this.#running.set(record.id, entered)
      return entered
    } catch (cause) {
      if (!(cause instanceof TsbuildError)) throw cause
      const { code, hint } = cause
      // Clients show nothing but the message.
      const reason = hint === undefined ? cause.message : `${cause.message}: ${hint}`
      throw new TsbuildError(`failed to set up container networking: ${reason}`, { code, cause })
    }
  }

  /** Ends the network of a container that does not run any more. */
  async leave(record: ContainerRecord): Promise<void> {
    const entered = this.#running.get(record.id)
    this.#running.delete(record.id)
    await entered?.[Symbol.asyncDispose]()
  }

  /** The network of a container that runs. */
  running(record: Pick<ContainerRecord, 'id'>): ContainerNetwork | undefined {
    return this.#running.get(record.id)
  }

  /**
   * Connects a container to a network, at once if it runs.
   * @returns what becomes of its networks by that
   * @throws {TsbuildError} NOT_FOUND, USAGE, PERMISSION_DENIED, in docker's words
   */
  async connect(
    record: ContainerRecord,
    text: string,
    config: EndpointConfig = {},
  ): Promise<EndpointsChange> {
    const network = this.find(text)
    checkConnectable(record, network)
    checkEndpoint(network, config)
    const entered = this.#running.get(record.id)
    if (entered !== undefined) await entered.connect(this.#liveOf(network), config)
    return (endpoints) => ({ ...without(endpoints, network), [network.name]: config })
  }

  /** Takes it out again. @returns as `connect`. @throws {TsbuildError} NOT_FOUND, USAGE, IO_FAILED */
  async disconnect(record: ContainerRecord, text: string): Promise<EndpointsChange> {
    const network = this.find(text)
    if (network.driver === 'host') {
      const message =
        'cannot disconnect container from host network - container was created in host network mode'
      throw new TsbuildError(message, { code: 'USAGE' })
    }
    if (!Object.keys(record.endpoints).some((name) => isCalled(network, name))) {
      const message = `container ${record.id} is not connected to network ${network.name}`
      throw new TsbuildError(message, { code: 'IO_FAILED' })
    }
    await this.#running.get(record.id)?.disconnect(this.#liveOf(network))
    return (endpoints) => without(endpoints, network)
  }

  /** `NetworkSettings` of a container, whether it runs or not. */
  settings(record: ContainerRecord): JsonObject {
    const entered = this.#running.get(record.id)
    if (entered !== undefined) return entered.settings()
    const isNew = record.state.status === 'created'
    const networks = Object.entries(record.endpoints).map(([name, config]) => {
      const network = this.#options.documents.all().find((one) => isCalled(one, name))
      const names = network === undefined || isNew ? [] : namesIn(network, record, config)
      const id = isNew ? '' : (network?.id ?? '')
      return [network?.name ?? name, restingSettings(id, config, names)] as const
    })
    return { SandboxID: '', SandboxKey: '', Ports: {}, Networks: Object.fromEntries(networks) }
  }

  /** Ends all of it: no container runs any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    await using held = new Resources()
    const opened = await this.#opened?.catch(() => undefined)
    if (opened !== undefined) held.use(opened)
    for (const one of this.#running.values()) held.use(one)
    this.#running.clear()
  }

  async #machine(): Promise<ContainerNetworks> {
    this.#opened ??= this.#options.open()
    try {
      return await this.#opened
    } catch (cause) {
      this.#opened = undefined
      throw cause
    }
  }

  #liveOf(record: NetworkRecord): LiveNetwork {
    const known = this.#live.get(record.id)
    if (known !== undefined) return known
    const live = new LiveNetwork(record, async (spec) => (await this.#machine()).openNetwork(spec))
    this.#live.set(record.id, live)
    return live
  }

  #isUsed({ id }: NetworkRecord): boolean {
    return (this.#live.get(id)?.endpoints.size ?? 0) > 0
  }

  /** Where the containers are that one is linked to on the default bridge. */
  #linksOf({ name: own, endpoints, hostConfig }: ContainerRecord): readonly Link[] {
    const bridge = Object.keys(endpoints).find((name) => name === PREDEFINED.bridge)
    if (bridge === undefined) return []
    const network = this.#liveOf(this.find(bridge))
    return (hostConfig.Links ?? []).map((text) => {
      const [name, alias] = parseLink(text)
      const target = [...this.#running.values()].find(
        ({ record }) => record.name === name || record.id.startsWith(name),
      )
      if (target === undefined) {
        const message = `Cannot link to a non running container: /${name} AS /${own}/${alias}`
        throw new TsbuildError(message, { code: 'IO_FAILED' })
      }
      const address = target.addressIn(network)
      if (address === undefined) {
        const message = `Cannot link to /${target.record.name}, as it does not belong to the default network`
        throw new TsbuildError(message, { code: 'IO_FAILED' })
      }
      return { alias, address, target: target.record }
    })
  }
}

function attributesOf({ name, driver }: NetworkRecord): Readonly<Record<string, string>> {
  return { name, type: driver }
}
