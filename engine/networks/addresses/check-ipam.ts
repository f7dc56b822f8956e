import {
  addressText,
  isWithin,
  overlap,
  type Prefix,
  parseAddress,
  parsePrefix,
  prefixText,
  wholePrefix,
} from '#builder/network'
import { TsbuildError } from '#core'
import type { IpamConfig } from '#engine/model'

/** Says in docker's words what is wrong with the addresses of a network. @throws {TsbuildError} USAGE */
export function checkIpam(configs: readonly IpamConfig[]): void {
  for (const { Subnet = '', IPRange = '' } of configs) {
    for (const text of [Subnet, IPRange]) if (text !== '') requirePrefix(text)
  }
  const problems = configs.flatMap(problemsOf)
  if (problems.length === 0) return
  throw new TsbuildError(`invalid network config:\n${problems.join('\n')}`, { code: 'USAGE' })
}

function requirePrefix(text: string): void {
  if (parsePrefix(text) !== undefined) return
  const reason = text.includes('/') ? 'unable to parse IP' : "no '/'"
  throw new TsbuildError(`invalid JSON: netip.ParsePrefix(${JSON.stringify(text)}): ${reason}`, {
    code: 'USAGE',
  })
}

function problemsOf(config: IpamConfig): readonly string[] {
  const { Subnet = '', IPRange = '', Gateway = '', AuxiliaryAddresses = {} } = config
  const subnet = parsePrefix(Subnet)
  const name = subnet === undefined ? 'invalid Prefix' : Subnet
  const contains = (text: string): boolean => {
    const address = parseAddress(text)
    return subnet !== undefined && address !== undefined && isWithin(address, subnet)
  }
  const outside = `parent subnet ${name} doesn't contain this address`
  return [
    ...(subnet === undefined ? [] : problemsOfSubnet(subnet)),
    ...(IPRange === '' ? [] : problemsOfRange(IPRange, subnet)),
    ...(Gateway === '' || contains(Gateway) ? [] : [`invalid gateway ${Gateway}: ${outside}`]),
    ...Object.entries(AuxiliaryAddresses)
      .filter(([, address]) => !contains(address))
      .map(([key]) => `invalid auxiliary address ${key}: ${outside}`),
  ]
}

function problemsOfSubnet(subnet: Prefix): readonly string[] {
  const whole = wholePrefix(subnet)
  if (addressText(whole.address) === addressText(subnet.address)) return []
  return [`invalid subnet ${prefixText(subnet)}: it should be ${prefixText(whole)}`]
}

function problemsOfRange(text: string, subnet: Prefix | undefined): readonly string[] {
  const range = parsePrefix(text)
  if (range === undefined) return []
  const name = subnet === undefined ? 'invalid Prefix' : prefixText(subnet)
  if (subnet === undefined || !overlap(subnet, range)) {
    return [`invalid ip-range ${text}: parent subnet ${name} doesn't contain ip-range`]
  }
  if (range.length >= subnet.length) return []
  return [`invalid ip-range ${text}: CIDR block is bigger than its parent subnet ${name}`]
}
