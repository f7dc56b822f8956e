import { TsbuildError } from '#core'
import { isLoopback } from '../addresses.ts'
import { systemAuthorities } from '../trust/system-store.ts'
import { type Environment, variableOf } from '../variables.ts'
import { isExcepted } from './no-proxy.ts'
import type { ProxyProtocol, ProxyServer } from './proxy-server.ts'

const DEFAULT_PORTS: Readonly<Record<ProxyProtocol, number>> = {
  'http:': 80,
  'https:': 443,
  'socks5:': 1080,
}
const PROTOCOLS: Readonly<Record<string, ProxyProtocol>> = {
  'http:': 'http:',
  'https:': 'https:',
  'socks5:': 'socks5:',
  // The proxy looks names up in both cases: it may be the only one that can.
  'socks5h:': 'socks5:',
}

/**
 * The proxy for an http or https URL: of `HTTP_PROXY` or `HTTPS_PROXY`, else of `ALL_PROXY`, in either case, unless
 * `NO_PROXY` excepts its host. Never one for this machine itself.
 * @throws {TsbuildError} CONFIG_INVALID for a variable that is not the URL of a proxy; its value is in no text
 */
export function chooseProxy(url: URL, environment: Environment): ProxyServer | undefined {
  if (isLoopback(url.hostname)) return undefined
  const found = variableFor(url, environment)
  if (found === undefined) return undefined
  const name = url.hostname
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  const noProxy = variableOf(environment, 'NO_PROXY') ?? ''
  if (isExcepted({ name, port }, noProxy)) return undefined
  const proxy = parseProxy(found.value, found.variable)
  return proxy.protocol === 'https:'
    ? { ...proxy, authorities: systemAuthorities(environment) }
    : proxy
}

/** A web server passes the header `Proxy` of a request to its CGI programs as HTTP_PROXY, which anyone can send. */
function variableFor(
  { protocol }: URL,
  environment: Environment,
): { readonly variable: string; readonly value: string } | undefined {
  const own = protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY'
  const isForged = own === 'HTTP_PROXY' && Boolean(environment.REQUEST_METHOD)
  const usable = isForged ? { ...environment, HTTP_PROXY: undefined } : environment
  for (const variable of [own, 'ALL_PROXY']) {
    const value = variableOf(usable, variable)
    if (value !== undefined) return { variable, value }
  }
  return undefined
}

/** `host:port` alone is an http proxy. */
function parseProxy(value: string, variable: string): ProxyServer {
  const text = value.trim()
  const written = /^[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : `http://${text}`
  const protocol = PROTOCOLS[/^[^:]*:/.exec(written)?.[0].toLowerCase() ?? '']
  // Of a protocol that it does not know, the URL class keeps every port.
  const unknown = written.replace(/^[^:]*:/, 'proxy:')
  if (protocol === undefined || !URL.canParse(unknown)) throw proxyError(variable)
  const url = new URL(unknown)
  // A password with a slash would end up in the host, and with it in texts.
  const isWhole = /^\/?$/.test(url.pathname) && url.search === '' && url.hash === ''
  if (url.hostname === '' || !isWhole) throw proxyError(variable)
  const port = url.port === '' ? DEFAULT_PORTS[protocol] : Number(url.port)
  const hasLogin = url.username !== '' || url.password !== ''
  const [user, password] = [decoded(url.username, variable), decoded(url.password, variable)]
  return {
    protocol,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port,
    authorities: [],
    login: hasLogin ? { user, password } : undefined,
    name: `${protocol}//${url.hostname}:${port} (${variable})`,
  }
}

function decoded(text: string, variable: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw proxyError(variable)
  }
}

function proxyError(variable: string): TsbuildError {
  return new TsbuildError(`${variable} is not the URL of a proxy`, {
    code: 'CONFIG_INVALID',
    hint: `set it to http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT, with %XX for special characters of a password`,
  })
}
