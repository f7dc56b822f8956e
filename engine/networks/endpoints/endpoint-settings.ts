import type { JsonObject } from '#core'
import { type ContainerRecord, type EndpointConfig, hostnameOf } from '#engine/model'
import { hasNames, type NetworkRecord } from '../records/network-record.ts'
import type { LiveEndpoint, LiveNetwork } from './live-network.ts'

/** The names of a container in a network: its own, its aliases, its id, and what it calls itself. */
export function namesIn(
  network: NetworkRecord,
  { id, name, config }: ContainerRecord,
  { Aliases = [] }: EndpointConfig,
): readonly string[] {
  if (!hasNames(network)) return []
  const all = [name, ...Aliases, id.slice(0, 12), hostnameOf(id, config)]
  return [...new Set(all)]
}

/** How a container is in a network now. Spec: Docker Engine API, EndpointSettings */
export function liveSettings(
  network: LiveNetwork,
  endpoint: LiveEndpoint,
  names: readonly string[],
): JsonObject {
  const { version4, version6, config, id, hardwareAddress } = endpoint
  return {
    ...configured(config),
    NetworkID: network.record.id,
    EndpointID: id,
    Gateway: network.gatewayOf(version4) ?? '',
    IPAddress: version4 ?? '',
    MacAddress: hardwareAddress,
    IPPrefixLen: version4 === undefined ? 0 : network.lengthOf(version4),
    IPv6Gateway: network.gatewayOf(version6) ?? '',
    GlobalIPv6Address: version6 ?? '',
    GlobalIPv6PrefixLen: version6 === undefined ? 0 : network.lengthOf(version6),
    DNSNames: names.length === 0 ? null : [...names],
  }
}

/** How it will be when it runs, or was. */
export function restingSettings(
  networkId: string,
  config: EndpointConfig,
  names: readonly string[],
): JsonObject {
  return {
    ...configured(config),
    NetworkID: networkId,
    EndpointID: '',
    Gateway: '',
    IPAddress: '',
    MacAddress: '',
    IPPrefixLen: 0,
    IPv6Gateway: '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    DNSNames: names.length === 0 ? null : [...names],
  }
}

function configured(config: EndpointConfig): JsonObject {
  const { IPAMConfig, Links = [], Aliases = [], DriverOpts, GwPriority = 0 } = config
  return {
    IPAMConfig: IPAMConfig === undefined ? null : { ...IPAMConfig },
    Links: Links.length === 0 ? null : [...Links],
    Aliases: Aliases.length === 0 ? null : [...Aliases],
    DriverOpts: DriverOpts === undefined ? null : { ...DriverOpts },
    GwPriority,
  }
}

/**
 * The fields that clients before API 1.52 look for beside `Networks`: those of the default bridge.
 * @param settings `NetworkSettings`
 */
export function withFormerFields(settings: JsonObject): JsonObject {
  const networks = (settings.Networks ?? {}) as Readonly<Record<string, JsonObject>>
  const bridge = networks.bridge ?? {}
  return {
    ...settings,
    EndpointID: bridge.EndpointID ?? '',
    Gateway: bridge.Gateway ?? '',
    GlobalIPv6Address: bridge.GlobalIPv6Address ?? '',
    GlobalIPv6PrefixLen: bridge.GlobalIPv6PrefixLen ?? 0,
    IPAddress: bridge.IPAddress ?? '',
    IPPrefixLen: bridge.IPPrefixLen ?? 0,
    IPv6Gateway: bridge.IPv6Gateway ?? '',
    MacAddress: bridge.MacAddress ?? '',
  }
}
