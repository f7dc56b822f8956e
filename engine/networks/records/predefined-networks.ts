import { overlap, parsePrefix, parsePrefixes } from '#builder/network'
import { newId, now } from '#engine/model'
import { chooseVersion4 } from '../addresses/choose-subnets.ts'
import { subnetsOf, withGateway } from './create-network.ts'
import { OPTION } from './network-options.ts'
import { type NetworkDriver, type NetworkRecord, PREDEFINED } from './network-record.ts'

/**
 * The networks that every engine has, as far as they are new or have to change: the default bridge keeps out of the way
 * of what the host's routes lead to by now.
 */
export function predefinedNetworks(
  known: readonly NetworkRecord[],
  hostPrefixes: readonly string[],
): readonly NetworkRecord[] {
  return Object.entries(PREDEFINED).flatMap(([name, driver]) => {
    const found = known.find((network) => network.name === name)
    const others = known.filter((network) => network !== found)
    if (found !== undefined && (driver !== 'bridge' || isFree(found, hostPrefixes))) return []
    const fresh = found ?? emptyNetwork(name, driver)
    if (driver !== 'bridge') return [fresh]
    const Subnet = chooseVersion4([...hostPrefixes, ...subnetsOf(others)])
    return [{ ...fresh, ipam: { Driver: 'default', Config: [withGateway({ Subnet })] } }]
  })
}

function isFree(network: NetworkRecord, hostPrefixes: readonly string[]): boolean {
  const taken = parsePrefixes(hostPrefixes)
  return subnetsOf([network]).every((text) => {
    const subnet = parsePrefix(text)
    return subnet !== undefined && !taken.some((prefix) => overlap(prefix, subnet))
  })
}

function emptyNetwork(name: string, driver: NetworkDriver): NetworkRecord {
  return {
    ...{ id: newId(), name, created: now(), driver },
    ...{ enableIPv4: true, enableIPv6: false, isInternal: false, isAttachable: false },
    ipam: { Driver: 'default' },
    options: driver === 'bridge' ? DEFAULT_OPTIONS : {},
    labels: {},
  }
}

const DEFAULT_OPTIONS: Readonly<Record<string, string>> = {
  [OPTION.defaultBridge]: 'true',
  [OPTION.icc]: 'true',
  [OPTION.masquerade]: 'true',
  [OPTION.hostBinding]: '0.0.0.0',
  [OPTION.bridgeName]: 'docker0',
  [OPTION.mtu]: '1500',
}
