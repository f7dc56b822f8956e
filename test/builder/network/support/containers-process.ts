/** An engine that does nothing but have networks of containers, in the network that it is started in: a `LabProgram`. */
import {
  type BridgeNetwork,
  ContainerNetworks,
  type ContainerPlace,
  type EndpointSpec,
  type NetworkSpec,
  type PortBinding,
  type PortTarget,
  type PublishedPorts,
} from '#builder/network'
import { serveTest } from '../../../support/networks/index.ts'

/** What it can be asked for. Networks and places have names that the test gives them. */
export type Asked =
  | { readonly ask: 'network'; readonly spec: NetworkSpec }
  | { readonly ask: 'remove'; readonly network: string }
  | { readonly ask: 'place'; readonly place: string; readonly servers: readonly string[] }
  | {
      readonly ask: 'connect'
      readonly place: string
      readonly network: string
      readonly endpoint: EndpointSpec
    }
  | { readonly ask: 'disconnect'; readonly place: string; readonly network: string }
  | { readonly ask: 'route'; readonly place: string; readonly network: string }
  | {
      readonly ask: 'publish'
      readonly place: string
      readonly bindings: readonly PortBinding[]
      readonly target: PortTarget
    }
  | { readonly ask: 'unpublish'; readonly place: string }
  | { readonly ask: 'release'; readonly place: string }
  | { readonly ask: 'usage' }

const networks = await ContainerNetworks.open()
const opened = new Map<string, BridgeNetwork>()
const places = new Map<string, ContainerPlace>()
const ports = new Map<string, PublishedPorts>()

const path = (descriptor: number): string => `/proc/${process.pid}/fd/${descriptor}`

function known<T>(map: ReadonlyMap<string, T>, name: string): T {
  const found = map.get(name)
  if (found === undefined) throw new Error(`the test has no ${name}`)
  return found
}

async function perform(asked: Asked): Promise<unknown> {
  switch (asked.ask) {
    case 'network':
      opened.set(asked.spec.name, await networks.openNetwork(asked.spec))
      return {}
    case 'remove':
      await known(opened, asked.network)[Symbol.asyncDispose]()
      opened.delete(asked.network)
      return {}
    case 'place': {
      const place = await networks.makePlace()
      await place.serveNames(() => asked.servers)
      places.set(asked.place, place)
      return path(place.namespace)
    }
    case 'connect':
      await known(places, asked.place).connect(known(opened, asked.network), asked.endpoint)
      return {}
    case 'disconnect':
      await known(places, asked.place).disconnect(known(opened, asked.network))
      return {}
    case 'route': {
      const network = known(opened, asked.network)
      await known(places, asked.place).routeBy({ version4: network, version6: network })
      return {}
    }
    case 'publish': {
      const found = await known(places, asked.place).publish(asked.bindings, asked.target)
      ports.set(asked.place, found)
      return found.published
    }
    case 'unpublish':
      await known(ports, asked.place)[Symbol.asyncDispose]()
      return {}
    case 'release':
      await known(places, asked.place)[Symbol.asyncDispose]()
      places.delete(asked.place)
      return {}
    case 'usage':
      return { way: networks.way, ...process.memoryUsage() }
  }
}

serveTest(perform, async () => {
  for (const place of places.values()) await place[Symbol.asyncDispose]()
  for (const network of opened.values()) await network[Symbol.asyncDispose]()
  await networks[Symbol.asyncDispose]()
})
