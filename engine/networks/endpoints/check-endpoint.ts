import { isWithin, parseAddress, parsePrefixes } from '#builder/network'
import { TsbuildError } from '#core'
import type { EndpointConfig } from '#engine/model'
import { hasNames, type NetworkRecord } from '../records/network-record.ts'

/** Says in docker's words what is wrong with how a container is to be in a network. @throws {TsbuildError} USAGE */
export function checkEndpoint(network: NetworkRecord, config: EndpointConfig): void {
  const { IPAMConfig = {}, MacAddress = '' } = config
  const addresses = [IPAMConfig.IPv4Address ?? '', IPAMConfig.IPv6Address ?? ''].filter(Boolean)
  for (const text of addresses) {
    if (parseAddress(text) !== undefined) continue
    const message = `invalid JSON: ParseAddr(${JSON.stringify(text)}): unable to parse IP`
    throw new TsbuildError(message, { code: 'USAGE' })
  }
  if (MacAddress !== '' && !/^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(MacAddress)) {
    const message = `invalid JSON: address ${MacAddress}: invalid MAC address`
    throw new TsbuildError(message, { code: 'USAGE' })
  }
  const problems = [...problemsOf(network, addresses), ...problemsOfNames(network, config)]
  if (problems.length === 0) return
  throw new TsbuildError(`invalid endpoint settings:\n${problems.join('\n')}`, { code: 'USAGE' })
}

function problemsOf(network: NetworkRecord, addresses: readonly string[]): readonly string[] {
  if (addresses.length === 0) return []
  if (!hasNames(network)) {
    return ['user-specified IP address is supported on user-defined networks only']
  }
  const subnets = parsePrefixes((network.ipam.Config ?? []).map(({ Subnet = '' }) => Subnet))
  const isInside = (text: string): boolean => {
    const address = parseAddress(text) ?? new Uint8Array()
    return subnets.some((subnet) => isWithin(address, subnet))
  }
  return addresses
    .filter((text) => !isInside(text))
    .map((text) => `no configured subnet contains IP address ${text}`)
}

function problemsOfNames(
  network: NetworkRecord,
  { Aliases = [] }: EndpointConfig,
): readonly string[] {
  if (hasNames(network) || Aliases.length === 0) return []
  return ['network-scoped aliases are only supported for user-defined networks']
}
