import { BlockList, isIPv6 } from 'node:net'
import { usageError } from '#core'
import type { Arguments } from '../../arguments/flags.ts'
import { splitPair } from '../create/values.ts'

/** Addresses of a subnet. Spec: Docker Engine API, IPAMConfig */
interface Subnet {
  readonly Subnet: string
  readonly IPRange?: string
  readonly Gateway?: string
  readonly AuxiliaryAddresses?: Readonly<Record<string, string>>
}

/** What `--subnet`, `--ip-range`, `--gateway` and `--aux-address` say together. @throws {TsbuildError} USAGE */
export function parseSubnets(args: Arguments): readonly Subnet[] {
  const subnets = args.list('subnet')
  const [ranges, gateways, others] = ['ip-range', 'gateway', 'aux-address'].map((name) =>
    args.list(name),
  )
  if (subnets.length < (ranges?.length ?? 0) || subnets.length < (gateways?.length ?? 0)) {
    throw usageError('every ip-range or gateway must have a corresponding subnet')
  }
  const found = new Map<string, Subnet>(subnets.map((text) => [text, { Subnet: text }]))
  for (const range of ranges ?? []) {
    const subnet = subnetOf(range.split('/')[0] ?? '', range, found)
    if (subnet.IPRange !== undefined)
      throw usageError(
        `cannot configure multiple ranges (${range}, ${subnet.IPRange}) on the same subnet (${subnet.Subnet})`,
      )
    found.set(subnet.Subnet, { ...subnet, IPRange: range })
  }
  for (const gateway of gateways ?? []) {
    const subnet = subnetOf(gateway, gateway, found)
    if (subnet.Gateway !== undefined)
      throw usageError(
        `cannot configure multiple gateways (${gateway}, ${subnet.Gateway}) for the same subnet (${subnet.Subnet})`,
      )
    found.set(subnet.Subnet, { ...subnet, Gateway: gateway })
  }
  for (const text of others ?? []) {
    const [name, address] = splitPair(text)
    const subnet = subnetOf(address, address, found)
    const AuxiliaryAddresses = { ...subnet.AuxiliaryAddresses, [name]: address }
    found.set(subnet.Subnet, { ...subnet, AuxiliaryAddresses })
  }
  return [...found.values()]
}

function subnetOf(address: string, written: string, found: ReadonlyMap<string, Subnet>): Subnet {
  const family = isIPv6(address) ? 'ipv6' : 'ipv4'
  for (const subnet of found.values()) {
    const [base = '', bits] = subnet.Subnet.split('/')
    const list = new BlockList()
    if (isIPv6(base) !== isIPv6(address)) continue
    list.addSubnet(base, Number(bits), family)
    if (list.check(address, family)) return subnet
  }
  throw usageError(`no matching subnet for ${written}`)
}
