import type { BridgeNetwork, ContainerPlace, PublishedPorts } from '#builder/network'
import { type JsonObject, TsbuildError } from '#core'
import { type ContainerRecord, type EndpointConfig, newId, parseLink } from '#engine/model'
import type { NewEvent } from '#engine/state'
import { liveSettings, namesIn } from './endpoints/endpoint-settings.ts'
import { hostsBeside, hostsText } from './endpoints/etc-hosts.ts'
import { type Link, linkLine, linkVariables } from './endpoints/links.ts'
import type { LiveEndpoint, LiveNetwork } from './endpoints/live-network.ts'
import { portRequests, portsDocument } from './endpoints/port-requests.ts'
import { namedServers, resolvConfText } from './endpoints/resolv-conf.ts'
import { bridgeOptions, OPTION } from './records/network-options.ts'
import { hasNames } from './records/network-record.ts'

/** What the networks of containers have from the host and from each other. */
export interface HostFiles {
  readonly hosts: () => string
  readonly resolvConf: () => string
  /** Servers that the host asks for names. */
  readonly servers: () => readonly string[]
}

/** What a container's network needs besides its place. */
export interface ContainerNetworkDeps {
  readonly files: HostFiles
  readonly emit: (event: NewEvent) => void
  /** Containers that it is linked to on the default bridge. */
  readonly links: readonly Link[]
}

/** A container in a network. */
interface Stay {
  readonly network: LiveNetwork
  readonly endpoint: LiveEndpoint
  /** Absent in the networks `none` and `host`. */
  readonly bridge: BridgeNetwork | undefined
}

/** The network of a container from its start to its end. Changes are made one after the other. */
export class ContainerNetwork implements AsyncDisposable {
  /** Absent: the host's. */
  readonly place: ContainerPlace | undefined
  /** New with each start of the container. */
  readonly #id = newId()
  readonly #deps: ContainerNetworkDeps
  readonly #stays: Stay[] = []
  #record: ContainerRecord
  #ports: PublishedPorts | undefined
  /** Of the addresses to which ports lead. */
  #target = ''
  #servesNames = false
  #last: Promise<unknown> = Promise.resolve()

  constructor(
    record: ContainerRecord,
    place: ContainerPlace | undefined,
    deps: ContainerNetworkDeps,
  ) {
    this.#record = record
    this.place = place
    this.#deps = deps
  }

  /** What the sandbox joins. The descriptor stays this object's. */
  get made(): 'host' | { readonly namespace: number } {
    return this.place === undefined ? 'host' : { namespace: this.place.namespace }
  }

  /** The container, for those that look for it. */
  get record(): ContainerRecord {
    return this.#record
  }

  /** Its address in a network. */
  addressIn(network: LiveNetwork): string | undefined {
    return this.#stays.find((stay) => stay.network === network)?.endpoint.version4
  }

  /** Joins a network; `settle` does the rest. @throws {TsbuildError} */
  async join(network: LiveNetwork, config: EndpointConfig): Promise<void> {
    const { id, name } = this.#record
    const endpoint = network.enter({ container: { id, name }, config })
    try {
      const bridge = await this.#connect(network, endpoint)
      this.#stays.push({ network, endpoint, bridge })
    } catch (cause) {
      network.leave(endpoint)
      throw cause
    }
    this.#emit('connect', network)
  }

  /** Takes its ways out, and publishes its ports where they lead now. @throws {TsbuildError} in docker's words */
  async settle(): Promise<void> {
    const ways = { version4: this.#wayOut('version4'), version6: this.#wayOut('version6') }
    const { version4, version6 } = ways
    await this.place?.routeBy({ version4: version4?.bridge, version6: version6?.bridge })
    const target = {
      version4: version4?.endpoint.version4,
      version6: version6?.endpoint.version6,
    }
    const key = JSON.stringify(target)
    if (key === this.#target) return
    await this.#ports?.[Symbol.asyncDispose]()
    this.#ports = undefined
    this.#target = key
    const way = version4 ?? version6
    if (way === undefined || this.place === undefined) return
    const { hostBinding } = bridgeOptions(way.network.record)
    const { bindings } = portRequests(this.#record, hostBinding)
    try {
      this.#ports = await this.place.publish(bindings, target)
    } catch (cause) {
      this.#target = ''
      throw connectivityError(way.endpoint, cause)
    }
  }

  /** Joins a network while it runs. @throws {TsbuildError} */
  async connect(network: LiveNetwork, config: EndpointConfig): Promise<void> {
    await this.#inTurn(async () => {
      await this.join(network, config)
      try {
        await this.settle()
      } catch (cause) {
        await this.#leave(network)
        await this.settle()
        throw cause
      }
    })
  }

  /** Leaves a network while it runs. */
  async disconnect(network: LiveNetwork): Promise<void> {
    await this.#inTurn(async () => {
      await this.#leave(network)
      await this.settle()
    })
  }

  /** Has another name, by which others find it from now on. */
  rename(record: ContainerRecord): void {
    this.#record = record
    for (const { network, endpoint, bridge } of this.#stays) {
      network.rename({ id: record.id, name: record.name })
      const names = namesIn(network.record, record, endpoint.config)
      if (bridge !== undefined && names.length > 0) this.place?.rename(bridge, names)
    }
  }

  /** The text of its /etc/hosts as it is now. */
  hosts(): string {
    const { files, links } = this.#deps
    if (this.place === undefined) return hostsBeside(files.hosts(), this.#record, '127.0.0.1')
    const addresses = this.#stays.flatMap(({ endpoint: { version4, version6 } }) =>
      [version4, version6].filter((address) => address !== undefined),
    )
    const lines = links.map(linkLine)
    return hostsText(this.#record, { gateway: this.#gateway(), links: lines, addresses })
  }

  /** Variables that say where the containers are that it is linked to. */
  variables(): readonly string[] {
    return this.#deps.links.flatMap((link) => linkVariables(link, this.#record.name))
  }

  /** The text of its resolv.conf as it is now. */
  resolvConf(): string {
    const source = this.#servesNames ? 'engine' : 'host'
    return resolvConfText(this.#record.hostConfig, source, this.#deps.files.resolvConf())
  }

  /** `NetworkSettings` */
  settings(): JsonObject {
    const { exposed } = portRequests(this.#record)
    const isHost = this.place === undefined
    const hasNetwork = this.#stays.some(({ bridge }) => bridge !== undefined)
    const published = this.#ports?.published ?? []
    return {
      SandboxID: this.#id,
      SandboxKey: isHost ? '/proc/1/ns/net' : `/proc/${process.pid}/fd/${this.place.namespace}`,
      Ports: hasNetwork ? (portsDocument(exposed, published) as unknown as JsonObject) : {},
      Networks: Object.fromEntries(
        this.#stays.map(({ network, endpoint }) => [
          network.record.name,
          liveSettings(network, endpoint, namesIn(network.record, this.#record, endpoint.config)),
        ]),
      ),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inTurn(async () => {
      this.#ports = undefined
      try {
        await this.place?.[Symbol.asyncDispose]()
      } finally {
        for (const { network, endpoint } of this.#stays.splice(0)) {
          network.leave(endpoint)
          this.#emit('disconnect', network)
        }
      }
    })
  }

  async #connect(network: LiveNetwork, endpoint: LiveEndpoint): Promise<BridgeNetwork | undefined> {
    if (network.record.driver !== 'bridge' || this.place === undefined) return undefined
    const bridge = await network.bridge()
    const { version4, version6, hardwareAddress, config } = endpoint
    const { linkPrefix } = bridgeOptions(network.record)
    // Before it is connected: only what may still fail then has to be taken back.
    if (hasNames(network.record)) await this.#serveNames()
    await this.place.connect(bridge, {
      ...{ version4, version6, hardwareAddress, linkPrefix },
      link: config.DriverOpts?.[OPTION.linkName],
      names: namesIn(network.record, this.#record, config),
      links: this.#linksOf(config),
    })
    return bridge
  }

  #linksOf({ Links = [] }: EndpointConfig): readonly (readonly [string, string])[] {
    const all = [...Links, ...(this.#record.hostConfig.Links ?? [])]
    return all.map((text) => {
      const [theirs, own] = parseLink(text)
      return [own, theirs]
    })
  }

  async #serveNames(): Promise<void> {
    if (this.#servesNames) return
    const named = namedServers(this.#record.hostConfig)
    await this.place?.serveNames(() => {
      // What is kept from the world does not send it questions either.
      const isKept = this.#stays.every(({ network }) => network.record.isInternal)
      if (isKept) return []
      return named.length > 0 ? named : this.#deps.files.servers()
    })
    this.#servesNames = true
  }

  async #leave(network: LiveNetwork): Promise<void> {
    const index = this.#stays.findIndex((stay) => stay.network === network)
    const [stay] = index < 0 ? [] : this.#stays.splice(index, 1)
    if (stay === undefined) return
    if (stay.bridge !== undefined) await this.place?.disconnect(stay.bridge)
    network.leave(stay.endpoint)
    this.#emit('disconnect', network)
  }

  /** The network by which it leaves: of the greatest priority, then the first by name. */
  #wayOut(version: 'version4' | 'version6'): Stay | undefined {
    const ways = this.#stays.filter(
      ({ network, endpoint, bridge }) =>
        bridge !== undefined && network.gatewayOf(endpoint[version]) !== undefined,
    )
    return ways.toSorted(byPriority)[0]
  }

  #gateway(): string {
    const way = this.#wayOut('version4')
    return way?.network.gatewayOf(way.endpoint.version4) ?? ''
  }

  #emit(Action: 'connect' | 'disconnect', { record }: LiveNetwork): void {
    const attributes = { container: this.#record.id, name: record.name, type: record.driver }
    this.#deps.emit({ Type: 'network', Action, id: record.id, attributes })
  }

  async #inTurn(action: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(action)
    this.#last = turn.catch(() => undefined)
    await turn
  }
}

function byPriority(one: Stay, other: Stay): number {
  const [first, second] = [one, other].map(({ endpoint }) => endpoint.config.GwPriority ?? 0)
  const difference = (second ?? 0) - (first ?? 0)
  return difference || (one.network.record.name < other.network.record.name ? -1 : 1)
}

function connectivityError({ id, container }: LiveEndpoint, cause: unknown): unknown {
  if (!(cause instanceof TsbuildError)) return cause
  const { code, hint, message } = cause
  return new TsbuildError(
    `driver failed programming external connectivity on endpoint ${container.name} (${id}): ${message}`,
    { code, hint, cause },
  )
}
