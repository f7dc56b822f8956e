import type { Json } from '#core'
import { objectsOf } from '../format/json.ts'

interface Port {
  readonly ip: string
  readonly inside: number
  readonly outside: number
  readonly type: string
}

/** A run of ports on which everything else is the same. */
interface Group {
  readonly first: Port
  last: number
}

/** `0.0.0.0:8080->80/tcp, 443/tcp`, with runs of ports as ranges. Spec: docker ps, Ports */
export function portsText(value: Json | undefined): string {
  const ports = objectsOf(value).map((port) => ({
    ip: String(port.IP ?? ''),
    inside: Number(port.PrivatePort ?? 0),
    outside: Number(port.PublicPort ?? 0),
    type: String(port.Type ?? 'tcp'),
  }))
  const sorted = ports.sort(comparePorts)
  const moved = sorted.filter(isMoved).map(portText)
  return [...rangesOf(sorted.filter((port) => !isMoved(port))), ...moved].join(', ')
}

/** Published on another port: it is in no range. */
function isMoved({ ip, outside, inside }: Port): boolean {
  return ip !== '' && outside !== inside
}

function comparePorts(a: Port, b: Port): number {
  if (a.inside !== b.inside) return a.inside - b.inside
  if (a.ip !== b.ip) return a.ip < b.ip ? -1 : 1
  if (a.outside !== b.outside) return a.outside - b.outside
  return a.type < b.type ? -1 : Number(a.type > b.type)
}

/** Ranges in docker's order: those that another one of the same kind follows, then the last of each kind. */
function rangesOf(ports: readonly Port[]): readonly string[] {
  const finished: string[] = []
  const open = new Map<string, Group>()
  for (const port of ports) {
    const key = port.ip === '' ? port.type : `${port.ip}/${port.type}`
    const group = open.get(key)
    if (group !== undefined && port.inside === group.last + 1) {
      group.last = port.inside
      continue
    }
    if (group !== undefined) finished.push(groupText(group))
    open.set(key, { first: port, last: port.inside })
  }
  return [...finished, ...[...open.values()].map(groupText)]
}

function groupText({ first: { ip, inside, type }, last }: Group): string {
  const range = inside === last ? `${inside}` : `${inside}-${last}`
  return ip === '' ? `${range}/${type}` : `${addressText(ip)}${range}->${range}/${type}`
}

function portText({ ip, inside, outside, type }: Port): string {
  return `${addressText(ip)}${outside}->${inside}/${type}`
}

function addressText(ip: string): string {
  if (ip === '') return ''
  return ip.includes(':') ? `[${ip}]:` : `${ip}:`
}
