import type { Json, JsonObject } from '#core'
import type { LiveNetwork } from './endpoints/live-network.ts'
import type { NetworkRecord } from './records/network-record.ts'

/** A network in the list of GET /networks. Spec: Docker Engine API, Network */
export function networkSummary(record: NetworkRecord): JsonObject {
  const { id, name, created, driver, ipam, options, labels } = record
  const configs = ipam.Config ?? []
  return {
    Name: name,
    Id: id,
    Created: created,
    Scope: 'local',
    Driver: driver,
    EnableIPv4: record.enableIPv4,
    EnableIPv6: record.enableIPv6,
    IPAM: {
      Driver: ipam.Driver || 'default',
      Options: ipam.Options === undefined ? null : { ...ipam.Options },
      Config: configs.length === 0 ? null : (configs as unknown as Json),
    },
    Internal: record.isInternal,
    Attachable: record.isAttachable,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Options: { ...options },
    Labels: { ...labels },
  }
}

/** The document of GET /networks/{id}. Spec: Docker Engine API, NetworkInspect */
export function networkDocument(network: LiveNetwork): JsonObject {
  return {
    ...networkSummary(network.record),
    Containers: containersOf(network),
    Status: { IPAM: ipamStatus(network) },
  }
}

/** What is left in the subnets of a network; some have none. */
function ipamStatus(network: LiveNetwork): JsonObject {
  const subnets = network.status() as unknown as JsonObject
  return Object.keys(subnets).length === 0 ? {} : { Subnets: subnets }
}

/** Who is in a network, by ids. */
function containersOf(network: LiveNetwork): JsonObject {
  const withLength = (address: string | undefined): string =>
    address === undefined ? '' : `${address}/${network.lengthOf(address)}`
  return Object.fromEntries(
    [...network.endpoints].map(([id, { container, version4, version6, ...endpoint }]) => [
      id,
      {
        Name: container.name,
        EndpointID: endpoint.id,
        MacAddress: endpoint.hardwareAddress,
        IPv4Address: withLength(version4),
        IPv6Address: withLength(version6),
      },
    ]),
  )
}
