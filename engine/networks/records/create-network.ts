import { overlap, parsePrefixes } from '#builder/network'
import { TsbuildError } from '#core'
import { type IpamConfig, type NetworkCreateBody, newId, now } from '#engine/model'
import { AddressPool } from '../addresses/address-pool.ts'
import { checkIpam } from '../addresses/check-ipam.ts'
import { chooseVersion4, chooseVersion6, isSubnet6 } from '../addresses/choose-subnets.ts'
import { bridgeOptions } from './network-options.ts'
import { isPredefined, type NetworkRecord } from './network-record.ts'

/** What a new network has to differ from. */
export interface Surroundings {
  readonly networks: readonly NetworkRecord[]
  /** Networks that the routes of the host lead to. */
  readonly hostPrefixes: readonly string[]
  /** Always the same on one engine. */
  readonly seed: string
}

/**
 * The record of a network that a user asks for.
 * @throws {TsbuildError} USAGE, CONFLICT, NOT_FOUND, PERMISSION_DENIED, in docker's words
 */
export function createNetwork(body: NetworkCreateBody, around: Surroundings): NetworkRecord {
  const { Name = '', Internal = false, Attachable = false, Options = {}, Labels = {} } = body
  const { EnableIPv4 = true, EnableIPv6 = false } = body
  checkKind(body)
  checkName(Name, around.networks)
  if (!(EnableIPv4 || EnableIPv6)) {
    throw new TsbuildError('IPv4 or IPv6 must be enabled', { code: 'USAGE' })
  }
  bridgeOptions({ options: Options })
  const isWanted = (config: IpamConfig): boolean =>
    isSubnet6(config.Subnet) ? EnableIPv6 : EnableIPv4
  const asked = body.IPAM?.Config ?? []
  checkIpam(asked)
  const wanted = [...asked.filter(isWanted)]
  const [has4, has6] = [false, true].map((wanted6) =>
    wanted.some(({ Subnet }) => Subnet && isSubnet6(Subnet) === wanted6),
  )
  const taken = [...around.hostPrefixes, ...subnetsOf(around.networks)]
  if (EnableIPv4 && has4 !== true) wanted.unshift({ Subnet: chooseVersion4(taken) })
  if (EnableIPv6 && has6 !== true) wanted.push({ Subnet: chooseVersion6(around.seed, taken) })
  const configs = wanted.filter(({ Subnet = '' }) => Subnet !== '')
  checkSubnets(configs, around.networks)
  return {
    ...{ id: newId(), name: Name, created: now(), driver: 'bridge' },
    ...{ enableIPv4: EnableIPv4, enableIPv6: EnableIPv6, options: Options, labels: Labels },
    ipam: {
      Driver: 'default',
      ...(body.IPAM?.Options === undefined ? {} : { Options: body.IPAM.Options }),
      Config: configs.map(withGateway),
    },
    ...{ isInternal: Internal, isAttachable: Attachable },
  }
}

/** The subnets of networks. */
export function subnetsOf(networks: readonly NetworkRecord[]): readonly string[] {
  return networks.flatMap(({ ipam }) => (ipam.Config ?? []).flatMap(({ Subnet }) => Subnet ?? []))
}

/** A subnet with the first of its addresses as its gateway, where none is named. */
export function withGateway(config: IpamConfig): IpamConfig {
  if (config.Gateway) return config
  const gateway = new AddressPool(config).takeFree()
  return gateway === undefined ? config : { ...config, Gateway: gateway }
}

function checkName(name: string, networks: readonly NetworkRecord[]): void {
  if (name === '') throw new TsbuildError('invalid name: name is empty', { code: 'USAGE' })
  if (name === 'default' || name.startsWith('container:') || isPredefined({ name })) {
    const message = `operation is not permitted on predefined ${name} network `
    throw new TsbuildError(message, { code: 'PERMISSION_DENIED' })
  }
  if (networks.some((other) => other.name === name)) {
    throw new TsbuildError(`network with name ${name} already exists`, { code: 'CONFLICT' })
  }
}

function checkKind({
  Driver = '',
  Scope,
  IPAM = {},
  Ingress,
  ConfigOnly,
  ConfigFrom,
}: NetworkCreateBody): void {
  if (Scope === 'swarm' || Ingress === true) {
    throw new TsbuildError('cannot create a swarm scoped network when swarm is not active', {
      code: 'PERMISSION_DENIED',
    })
  }
  if (ConfigOnly === true || ConfigFrom?.Network) {
    throw new TsbuildError('networks that are a configuration of others are not to be had here', {
      code: 'UNSUPPORTED',
      hint: 'name the configuration at the network itself',
    })
  }
  if (Driver === 'host' || Driver === 'null') {
    const message = `only one instance of ${JSON.stringify(Driver)} network is allowed`
    throw new TsbuildError(message, { code: 'PERMISSION_DENIED' })
  }
  const ipamDriver = IPAM.Driver ?? ''
  const unknown =
    Driver !== '' && Driver !== 'bridge'
      ? Driver
      : ipamDriver !== '' && ipamDriver !== 'default'
        ? ipamDriver
        : undefined
  if (unknown === undefined) return
  throw new TsbuildError(`plugin ${JSON.stringify(unknown)} not found`, { code: 'NOT_FOUND' })
}

function checkSubnets(configs: readonly IpamConfig[], networks: readonly NetworkRecord[]): void {
  const prefixes = parsePrefixes(configs.map(({ Subnet = '' }) => Subnet))
  const others = parsePrefixes(subnetsOf(networks))
  const overlaps = prefixes.some((prefix, index) =>
    [...others, ...prefixes.slice(0, index)].some((other) => overlap(prefix, other)),
  )
  if (overlaps) {
    throw new TsbuildError(
      'invalid pool request: Pool overlaps with other one on this address space',
      {
        code: 'PERMISSION_DENIED',
      },
    )
  }
  const version4 = prefixes.filter(({ address }) => address.length === 4).length
  if (Math.max(version4, prefixes.length - version4) <= 1) return
  throw new TsbuildError("bridge driver doesn't support multiple subnets", {
    code: 'PERMISSION_DENIED',
  })
}
