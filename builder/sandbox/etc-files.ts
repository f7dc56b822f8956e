import { readFileSync } from 'node:fs'
import { errnoOf, ioError } from '#core'

/** Files of /etc that belong to the step and not to the image. */
export interface EtcFiles {
  readonly hosts: string
  readonly hostname: string
  readonly resolvConf: string
}

export interface EtcOptions {
  readonly hostname: string
  readonly extraHosts: readonly (readonly [host: string, address: string])[]
  /** The host's own resolv.conf, whose loopback servers only its own network reaches. */
  readonly resolvConf: string
  readonly ownNetwork: boolean
}

const HOST_FILE = '/etc/resolv.conf'
/** Where systemd-resolved lists the servers behind its own, which listens on 127.0.0.53. */
const RESOLVED_FILE = '/run/systemd/resolve/resolv.conf'
const PUBLIC_SERVERS: readonly string[] = [
  'nameserver 8.8.8.8',
  'nameserver 8.8.4.4',
  'nameserver 2001:4860:4860::8888',
  'nameserver 2001:4860:4860::8844',
]

export function etcFiles(options: EtcOptions): EtcFiles {
  const { hostname, extraHosts } = options
  const lines = [
    `127.0.0.1\tlocalhost ${hostname}`,
    '::1\tlocalhost ip6-localhost ip6-loopback',
    ...extraHosts.map(([host, address]) => `${address}\t${host}`),
  ]
  return {
    hosts: `${lines.join('\n')}\n`,
    hostname: `${hostname}\n`,
    resolvConf: options.ownNetwork
      ? withoutLoopbackServers(options.resolvConf)
      : options.resolvConf,
  }
}

/** The resolver settings of the host, past the stub of systemd-resolved. */
export function readHostResolvConf(): string {
  const text = readIfThere(HOST_FILE)
  const servers = serversOf(text)
  if (servers.length === 1 && servers[0] === '127.0.0.53') return readIfThere(RESOLVED_FILE) || text
  return text
}

/** Keeps options and search domains; without any usable server, public ones are used. */
export function withoutLoopbackServers(text: string): string {
  const lines = text.split('\n').filter((line) => !isLoopback(serverOf(line)))
  if (!lines.some((line) => serverOf(line) !== undefined)) lines.push(...PUBLIC_SERVERS, '')
  return lines.join('\n')
}

function serversOf(text: string): readonly string[] {
  return text.split('\n').flatMap((line) => serverOf(line) ?? [])
}

function serverOf(line: string): string | undefined {
  const [keyword, server] = line.trim().split(/[ \t]+/)
  return keyword === 'nameserver' ? server : undefined
}

function isLoopback(server: string | undefined): boolean {
  return server !== undefined && (server.startsWith('127.') || server === '::1')
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return ''
    throw ioError(`read ${path}`, cause)
  }
}
