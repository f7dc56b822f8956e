import { type ContainerRecord, hostnameOf, variableName } from '#engine/model'
import type { HostLine } from './etc-hosts.ts'
import { type ContainerPort, portRequests } from './port-requests.ts'

/** A container that another one is linked to on the default bridge, under an alias. */
export interface Link {
  readonly alias: string
  readonly address: string
  readonly target: ContainerRecord
}

/** As /etc/hosts has it. */
export function linkLine({ alias, address, target }: Link): HostLine {
  const { id, config, name } = target
  return [address, alias, hostnameOf(id, config), ...(name === alias ? [] : [name])]
}

/** Variables of the image's build. */
const NOT_SHARED = ['HOME', 'PATH']

/**
 * The variables by which a container finds what it is linked to. Spec: moby, daemon/links
 * @param name of the container itself
 */
export function linkVariables({ alias, address, target }: Link, name: string): readonly string[] {
  const prefix = alias.toUpperCase().replaceAll('-', '_')
  const ports = portRequests(target).exposed.toSorted(byNumber)
  const urlOf = ({ protocol, port }: ContainerPort): string => `${protocol}://${address}:${port}`
  const nameOf = ({ protocol, port }: ContainerPort): string =>
    `${prefix}_PORT_${port}_${protocol.toUpperCase()}`
  const [first] = ports
  return [
    ...(first === undefined ? [] : [`${prefix}_PORT=${urlOf(first)}`]),
    ...rangesOf(ports).flatMap(([start, end]) => [
      `${nameOf(start)}_START=${urlOf(start)}`,
      `${nameOf(start)}_ADDR=${address}`,
      `${nameOf(start)}_PROTO=${start.protocol}`,
      `${nameOf(start)}_PORT_START=${start.port}`,
      `${nameOf(start)}_END=${urlOf(end)}`,
      `${nameOf(start)}_PORT_END=${end.port}`,
    ]),
    ...ports.flatMap((port) => [
      `${nameOf(port)}=${urlOf(port)}`,
      `${nameOf(port)}_ADDR=${address}`,
      `${nameOf(port)}_PORT=${port.port}`,
      `${nameOf(port)}_PROTO=${port.protocol}`,
    ]),
    `${prefix}_NAME=/${name}/${alias}`,
    ...(target.config.Env ?? [])
      .filter((entry) => entry.includes('=') && !NOT_SHARED.includes(variableName(entry)))
      .map((entry) => `${prefix}_ENV_${entry}`),
  ]
}

/** Of the same number, that of TCP is the first. */
function byNumber(one: ContainerPort, other: ContainerPort): number {
  return one.port - other.port || Number(other.protocol === 'tcp') - Number(one.protocol === 'tcp')
}

type PortRange = readonly [start: ContainerPort, end: ContainerPort]

/** Three ports or more with numbers one after the other. */
function rangesOf(ports: readonly ContainerPort[]): readonly PortRange[] {
  const ranges: PortRange[] = []
  let run: readonly ContainerPort[] = []
  for (const [index, port] of ports.entries()) {
    run = [...run, port]
    const next = ports[index + 1]
    if (next !== undefined && next.port <= port.port + 1) continue
    const [start] = run
    if (start !== undefined && run.length > 2) ranges.push([start, port])
    run = []
  }
  return ranges
}
