/** The networks of a container as its record has them: by their names or ids. */
import { TsbuildError } from '#core'
import type { ContainerRecord, EndpointConfig } from '#engine/model'
import { type NetworkRecord, PREDEFINED } from '../records/network-record.ts'

/** How a container is in each of its networks. */
export type Endpoints = ContainerRecord['endpoints']

/** What becomes of the networks that a container has when the change is kept: meanwhile there may have been another. */
export type EndpointsChange = (endpoints: Endpoints) => Endpoints

/** The networks of a container without one. */
export function without(endpoints: Endpoints, network: NetworkRecord): Endpoints {
  return Object.fromEntries(Object.entries(endpoints).filter(([name]) => !isCalled(network, name)))
}

/** Whether a container has the host's network. */
export function isOfHost({ hostConfig }: ContainerRecord): boolean {
  return hostConfig.NetworkMode === 'host'
}

/** Whether a container means a network by a word. */
export function isCalled({ id, name }: NetworkRecord, text: string): boolean {
  const isPrefix = text.length >= SHORT_ID && id.startsWith(text)
  return name === text || isPrefix || (text === 'default' && name === PREDEFINED.bridge)
}

const SHORT_ID = 12

/** As links are numbered: the default bridge, then by priority and name. */
export function inOrder(endpoints: Endpoints): readonly (readonly [string, EndpointConfig])[] {
  const rank = (name: string): number => (name === PREDEFINED.bridge ? 0 : 1)
  return Object.entries(endpoints).toSorted(
    ([one, first], [other, second]) =>
      rank(one) - rank(other) ||
      (second.GwPriority ?? 0) - (first.GwPriority ?? 0) ||
      (one < other ? -1 : 1),
  )
}

/** The address that clients before API 1.44 give the whole container is that of its first network. */
export function withHardwareAddress(
  { config: { MacAddress = '' }, hostConfig: { NetworkMode = 'default' } }: ContainerRecord,
  record: NetworkRecord,
  config: EndpointConfig,
): EndpointConfig {
  const isFirst = isCalled(record, NetworkMode === '' ? 'default' : NetworkMode)
  return MacAddress !== '' && isFirst && !config.MacAddress ? { ...config, MacAddress } : config
}

/** Says in docker's words why a container cannot be in a network. @throws {TsbuildError} USAGE */
export function checkConnectable(
  { hostConfig, endpoints }: ContainerRecord,
  network: NetworkRecord,
): void {
  const { NetworkMode: mode = '' } = hostConfig
  const fail = (message: string): never => {
    throw new TsbuildError(message, { code: 'USAGE' })
  }
  if (mode === 'host' || mode.startsWith('container:')) {
    fail(
      'container sharing network namespace with another container or host cannot be connected to any other network',
    )
  }
  if (network.driver === 'host') {
    fail(
      'cannot connect container to host network - container must be created in host network mode',
    )
  }
  const others = Object.keys(endpoints)
  if (others.includes('none') || (network.driver === 'null' && others.length > 0)) {
    fail(
      'container cannot be connected to multiple networks with one of the networks in private (none) mode',
    )
  }
}
