import { isIP } from 'node:net'
import { usageError } from '#core'
import type { CreateBody, HostConfig } from '#engine/model'

type Bindings = NonNullable<HostConfig['PortBindings']>

/** What of a create body is about ports. */
export interface PortSettings {
  readonly exposed: NonNullable<CreateBody['ExposedPorts']>
  readonly bindings: Bindings
}

/** `--publish` and `--expose`. @throws {TsbuildError} USAGE */
export function parsePorts(publish: readonly string[], expose: readonly string[]): PortSettings {
  const exposed: Record<string, Record<string, never>> = {}
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {}
  for (const { port, ip, hostPort } of publish.map(shortForm).flatMap(parsePublished)) {
    exposed[port] = {}
    bindings[port] = [...(bindings[port] ?? []), { HostIp: ip, HostPort: hostPort }]
  }
  for (const port of expose.flatMap(parseExposed)) exposed[port] = {}
  return { exposed, bindings }
}

/** `published=8080,target=80,protocol=tcp` as `8080:80/tcp`. */
function shortForm(text: string): string {
  if (!text.includes('=')) return text
  const params: Record<string, string> = { protocol: 'tcp', published: '', target: '' }
  for (const param of text.split(',')) {
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(param) ?? []
    if (name === undefined || value === undefined) {
      throw usageError(`invalid publish opts format (should be name=value but got '${param}')`)
    }
    params[name] = value
  }
  return `${params.published}:${params.target}/${params.protocol}`
}

interface Published {
  readonly port: string
  readonly ip: string
  readonly hostPort: string
}

/** `[IP:][[HOST]:]CONTAINER[/PROTOCOL]`, where both ports may be ranges. */
function parsePublished(text: string): readonly Published[] {
  const [spec = '', protocol = 'tcp'] = text.split(/\/(?=[^/]*$)/)
  const parts = /^(?:(?:\[([^\]]*)\]|((?:[^:]*:)*[^:]*)):)?([^:]*):([^:]*)$/.exec(spec)
  const [, bracketed, bare, host = '', target = spec] = parts ?? []
  const container = parts === null ? spec : target
  const ip = bracketed ?? bare ?? ''
  if (container === '') throw usageError(`No port specified: ${text}<empty>`)
  if (ip !== '' && isIP(ip) === 0) throw usageError(`invalid IP address: ${ip}`)
  const ports = parseRange(container, `invalid containerPort: ${container}`)
  const hosts = host === '' ? undefined : parseRange(host, `invalid hostPort: ${host}`)
  checkProtocol(protocol)
  if (hosts !== undefined && hosts.length !== ports.length && ports.length !== 1) {
    throw usageError(
      `invalid ranges specified for container and host Ports: ${container} and ${host}`,
    )
  }
  return ports.map((port, index) => {
    // One port of a range of the host's is for the daemon to choose.
    const isChoice = hosts !== undefined && hosts.length > 1 && ports.length === 1
    const hostPort = isChoice ? host : String(hosts?.[index] ?? '')
    return { port: `${port}/${protocol.toLowerCase()}`, ip, hostPort }
  })
}

function parseExposed(text: string): readonly string[] {
  if (text.includes(':')) throw usageError(`invalid port format for --expose: ${text}`)
  const [ports = '', protocol = 'tcp'] = text.split('/')
  checkProtocol(protocol)
  return parseRange(ports, `invalid range format for --expose: ${text}`).map(
    (port) => `${port}/${protocol.toLowerCase()}`,
  )
}

function checkProtocol(protocol: string): void {
  if (!/^(?:tcp|udp|sctp)$/i.test(protocol)) throw usageError(`invalid proto: ${protocol}`)
}

const MAX_PORT = 65535

function parseRange(text: string, problem: string): readonly number[] {
  const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? []
  const [from, to] = [Number(first), Number(last)]
  if (first === undefined || to < from || to > MAX_PORT) throw usageError(problem)
  return Array.from({ length: to - from + 1 }, (_, index) => from + index)
}
