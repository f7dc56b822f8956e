import type { Json } from '#core'
import { objectOf } from '../run/status.ts'

interface Port {
  readonly ip: string
  readonly inside: number
  readonly outside: number
  readonly type: string
}

/** A run of ports on which everything else is the same. */
interface Group {
  readonly key: string
  readonly first: Port
  last: Port
}

/** `0.0.0.0:8080->80/tcp, 443/tcp`, with runs of ports as ranges. Spec: docker ps, Ports */
export function portsText(value: Json | undefined): string {
  const ports = (Array.isArray(value) ? value : []).map(objectOf).map((port) => ({
    ip: String(port.IP ?? ''),
    inside: Number(port.PrivatePort ?? 0),
    outside: Number(port.PublicPort ?? 0),
    type: String(port.Type ?? 'tcp'),
  }))
  const single = ports.filter(isSingle).sort(comparePorts)
  const ranged = groupsOf(ports.filter((port) => !isSingle(port)).sort(comparePorts))
  return [...ranged.map(groupText), ...single.map(portText)].join(', ')
}

/** Published on another port: it is in no range. */
function isSingle({ outside, inside }: Port): boolean {
  return outside !== 0 && outside !== inside
}

function comparePorts(a: Port, b: Port): number {
  if (a.inside !== b.inside) return a.inside - b.inside
  if (a.ip !== b.ip) return a.ip < b.ip ? -1 : 1
  if (a.outside !== b.outside) return a.outside - b.outside
  return a.type < b.type ? -1 : Number(a.type > b.type)
}

function groupsOf(ports: readonly Port[]): readonly Group[] {
  const groups: Group[] = []
  const latest = new Map<string, Group>()
  for (const port of ports) {
    const key = `${port.ip}/${port.type}/${port.outside === 0}`
    const group = latest.get(key)
    if (group !== undefined && port.inside === group.last.inside + 1) group.last = port
    else if (group === undefined || port.inside !== group.last.inside) {
      const started = { key, first: port, last: port }
      groups.push(started)
      latest.set(key, started)
    }
  }
  return groups
}

function groupText({ first, last }: Group): string {
  const range = first.inside === last.inside ? `${first.inside}` : `${first.inside}-${last.inside}`
  if (first.outside === 0) return `${range}/${first.type}`
  return `${addressText(first.ip)}${range}->${range}/${first.type}`
}

function portText({ ip, inside, outside, type }: Port): string {
  return `${addressText(ip)}${outside}->${inside}/${type}`
}

function addressText(ip: string): string {
  if (ip === '') return ''
  return ip.includes(':') ? `[${ip}]:` : `${ip}:`
}
