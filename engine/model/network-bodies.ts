import { type Shape, shapes } from '#core'
import type { EndpointConfig } from './bodies.ts'
import { ENDPOINT_SHAPE } from './shapes.ts'

/** Addresses of a network. Spec: Docker Engine API, IPAMConfig */
export interface IpamConfig {
  readonly Subnet?: string
  readonly IPRange?: string
  readonly Gateway?: string
  readonly AuxiliaryAddresses?: Readonly<Record<string, string>>
}

/** Where a network has its addresses from. Spec: Docker Engine API, IPAM */
export interface Ipam {
  readonly Driver?: string
  readonly Config?: readonly IpamConfig[]
  readonly Options?: Readonly<Record<string, string>>
}

/** The body of POST /networks/create. */
export interface NetworkCreateBody {
  readonly Name?: string
  readonly CheckDuplicate?: boolean
  readonly Driver?: string
  readonly Scope?: string
  readonly Internal?: boolean
  readonly Attachable?: boolean
  readonly Ingress?: boolean
  readonly ConfigOnly?: boolean
  readonly ConfigFrom?: { readonly Network?: string }
  readonly IPAM?: Ipam
  readonly EnableIPv4?: boolean
  readonly EnableIPv6?: boolean
  readonly Options?: Readonly<Record<string, string>>
  readonly Labels?: Readonly<Record<string, string>>
}

/** The body of POST /networks/{id}/connect. */
export interface NetworkConnectBody {
  readonly Container?: string
  readonly EndpointConfig?: EndpointConfig
}

/** The body of POST /networks/{id}/disconnect. */
export interface NetworkDisconnectBody {
  readonly Container?: string
  readonly Force?: boolean
}

const { boolean, list, map, object, string } = shapes

const IPAM_SHAPE: Shape<Ipam> = object({
  Driver: string,
  Config: list(
    object({ Subnet: string, IPRange: string, Gateway: string, AuxiliaryAddresses: map(string) }),
  ),
  Options: map(string),
})

export const NETWORK_CREATE_SHAPE: Shape<NetworkCreateBody> = object({
  Name: string,
  CheckDuplicate: boolean,
  Driver: string,
  Scope: string,
  Internal: boolean,
  Attachable: boolean,
  Ingress: boolean,
  ConfigOnly: boolean,
  ConfigFrom: object({ Network: string }),
  IPAM: IPAM_SHAPE,
  EnableIPv4: boolean,
  EnableIPv6: boolean,
  Options: map(string),
  Labels: map(string),
})

export const NETWORK_CONNECT_SHAPE: Shape<NetworkConnectBody> = object({
  Container: string,
  EndpointConfig: ENDPOINT_SHAPE,
})

export const NETWORK_DISCONNECT_SHAPE: Shape<NetworkDisconnectBody> = object({
  Container: string,
  Force: boolean,
})
