import { TsbuildError } from '#core'
import type { NetworkRecord } from './network-record.ts'

/** What options of a bridge say. Spec: https://docs.docker.com/engine/network/drivers/bridge/ */
export interface BridgeOptions {
  readonly mtu: number | undefined
  /** Whether its containers reach each other. */
  readonly icc: boolean
  readonly masquerade: boolean
  /** Where ports are published that name no address. */
  readonly hostBinding: string
  /** What links in containers are called, before their number. */
  readonly linkPrefix: string
}

export const OPTION = {
  defaultBridge: 'com.docker.network.bridge.default_bridge',
  icc: 'com.docker.network.bridge.enable_icc',
  masquerade: 'com.docker.network.bridge.enable_ip_masquerade',
  hostBinding: 'com.docker.network.bridge.host_binding_ipv4',
  bridgeName: 'com.docker.network.bridge.name',
  mtu: 'com.docker.network.driver.mtu',
  linkPrefix: 'com.docker.network.container_iface_prefix',
  /** Of an endpoint. */
  linkName: 'com.docker.network.endpoint.ifname',
} as const

/** Reads options; those that are not known are kept and mean nothing. @throws {TsbuildError} USAGE */
export function bridgeOptions({ options }: Pick<NetworkRecord, 'options'>): BridgeOptions {
  const mtu = options[OPTION.mtu]
  const binding = options[OPTION.hostBinding] ?? ''
  return {
    mtu: mtu === undefined ? undefined : numberOf(OPTION.mtu, mtu) || undefined,
    icc: booleanOf(OPTION.icc, options[OPTION.icc] ?? 'true'),
    masquerade: booleanOf(OPTION.masquerade, options[OPTION.masquerade] ?? 'true'),
    hostBinding: binding === '0.0.0.0' ? '' : binding,
    linkPrefix: options[OPTION.linkPrefix] ?? 'eth',
  }
}

function numberOf(name: string, text: string): number {
  if (/^[+-]?\d+$/.test(text)) return Number(text)
  throw optionError(name, text, `strconv.Atoi: parsing ${JSON.stringify(text)}`)
}

/** As Go reads them. */
function booleanOf(name: string, text: string): boolean {
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true
  if (/^(0|f|F|FALSE|false|False)$/.test(text)) return false
  throw optionError(name, text, `strconv.ParseBool: parsing ${JSON.stringify(text)}`)
}

function optionError(name: string, text: string, reason: string): TsbuildError {
  const message = `failed to parse ${name} value: ${text} (${reason}: invalid syntax)`
  return new TsbuildError(message, { code: 'USAGE' })
}
