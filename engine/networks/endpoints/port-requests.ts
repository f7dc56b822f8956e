import type { PortBinding, PortProtocol, PublishedPort } from '#builder/network'
import { TsbuildError } from '#core'
import type { ContainerRecord, HostConfig } from '#engine/model'

/** A port of a container as documents name it: `80/tcp`. */
export interface ContainerPort {
  readonly protocol: PortProtocol
  readonly port: number
}

/** What is published of a container, and what it only names. */
export interface PortRequests {
  readonly bindings: readonly PortBinding[]
  readonly exposed: readonly ContainerPort[]
}

/**
 * The ports of a container.
 * @param hostBinding where ports are published that name no address
 * @throws {TsbuildError} USAGE, in docker's words
 */
export function portRequests(
  { config, hostConfig }: Pick<ContainerRecord, 'config' | 'hostConfig'>,
  hostBinding = '',
): PortRequests {
  const { PortBindings = {}, PublishAllPorts = false } = hostConfig
  const exposed = [...Object.keys(config.ExposedPorts ?? {}), ...Object.keys(PortBindings)]
  const ports = new Map(exposed.map(parsePort).map((port) => [portText(port), port]))
  const asked = new Map(
    Object.entries(PortBindings).map(([text, bindings]) => [portText(parsePort(text)), bindings]),
  )
  const bindings = [...ports].flatMap(([text, port]) => {
    const found = asked.get(text)
    const wanted = found ?? (PublishAllPorts ? [] : undefined)
    if (wanted === undefined) return []
    // Without any, a port is published at one that the host has left.
    const all = wanted.length === 0 ? [{}] : wanted
    return all.map(({ HostIp = '', HostPort = '' }) => ({
      ...port,
      hostAddress: hostAddressOf(HostIp, hostBinding),
      hostPorts: hostPortsOf(HostPort),
    }))
  })
  return { bindings, exposed: [...ports.values()] }
}

/** Says what is wrong with ports before a container is made of them. @throws {TsbuildError} USAGE */
export function checkPorts(record: Pick<ContainerRecord, 'config' | 'hostConfig'>): void {
  portRequests(record)
}

/** `NetworkSettings.Ports` */
export function portsDocument(
  exposed: readonly ContainerPort[],
  published: readonly PublishedPort[],
): Readonly<Record<string, readonly { HostIp: string; HostPort: string }[] | null>> {
  const entries = exposed.map(portText).sort()
  return Object.fromEntries(
    entries.map((text) => {
      const found = published.filter((one) => portText(one) === text)
      const hosts = found.map(({ hostAddress, hostPort }) => ({
        HostIp: hostAddress,
        HostPort: `${hostPort}`,
      }))
      return [text, hosts.length === 0 ? null : hosts]
    }),
  )
}

/** What is published by a container that gets no port of its own. */
export function hasPublished({ PortBindings = {}, PublishAllPorts }: HostConfig): boolean {
  return PublishAllPorts === true || Object.keys(PortBindings).length > 0
}

function portText({ port, protocol }: ContainerPort): string {
  return `${port}/${protocol}`
}

function parsePort(text: string): ContainerPort {
  const [, digits = '', protocol = 'tcp'] = /^(\d+)(?:\/(\w+))?$/.exec(text) ?? []
  const port = Number(digits)
  if (digits === '' || port > 0xffff) {
    const reason = digits === '' ? 'invalid syntax' : 'value out of range'
    const message = `invalid JSON: invalid port '${digits || text}': ${reason}`
    throw new TsbuildError(message, { code: 'USAGE' })
  }
  const known = PROTOCOLS.find((one) => one === protocol.toLowerCase())
  if (known !== undefined) return { port, protocol: known }
  throw new TsbuildError(`invalid port '${text}': unknown protocol`, { code: 'USAGE' })
}

const PROTOCOLS: readonly PortProtocol[] = ['tcp', 'udp', 'sctp']

function hostAddressOf(text: string, hostBinding: string): string {
  const bare = text.replace(/^\[(.*)\]$/, '$1')
  if (bare === '') return hostBinding
  if (!/^[0-9a-fA-F.:]+$/.test(bare)) {
    const message = `invalid JSON: ParseAddr(${JSON.stringify(text)}): unable to parse IP`
    throw new TsbuildError(message, { code: 'USAGE' })
  }
  return bare
}

function hostPortsOf(text: string): readonly [number, number] | undefined {
  if (text === '' || text === '0') return undefined
  const [, first = '', last = first] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? []
  const range = [Number(first), Number(last)] as const
  if (first === '' || range[0] > range[1] || range[1] > 0xffff) {
    const message = `invalid port specification: ${JSON.stringify(text)}`
    throw new TsbuildError(message, { code: 'USAGE' })
  }
  return range
}
