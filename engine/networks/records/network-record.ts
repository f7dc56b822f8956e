import type { Ipam } from '#engine/model'

/** What a network is made by. */
export type NetworkDriver = 'bridge' | 'host' | 'null'

/** All that lasts of a network. */
export interface NetworkRecord {
  /** 64 hexadecimal digits. */
  readonly id: string
  readonly name: string
  readonly created: string
  readonly driver: NetworkDriver
  readonly enableIPv4: boolean
  readonly enableIPv6: boolean
  /** With the subnets and gateways that were chosen. */
  readonly ipam: Ipam
  readonly isInternal: boolean
  readonly isAttachable: boolean
  readonly options: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
}

/** The networks that every engine has, which cannot be removed. */
export const PREDEFINED = { bridge: 'bridge', host: 'host', none: 'null' } as const

/** Whether a network is one of those. */
export function isPredefined({ name }: Pick<NetworkRecord, 'name'>): boolean {
  return Object.hasOwn(PREDEFINED, name)
}

/** Whether containers of a network find each other by names. */
export function hasNames({ name, driver }: NetworkRecord): boolean {
  return driver === 'bridge' && name !== PREDEFINED.bridge
}
