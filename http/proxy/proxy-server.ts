/** How a proxy is spoken to: `http:` and `https:` by requests and CONNECT, `socks5:` by RFC 1928. */
export type ProxyProtocol = 'http:' | 'https:' | 'socks5:'

/** A proxy that a variable names. */
export interface ProxyServer {
  readonly protocol: ProxyProtocol
  /** IPv6 addresses without brackets. */
  readonly host: string
  readonly port: number
  /** As they are, not encoded for a URL. */
  readonly login: { readonly user: string; readonly password: string } | undefined
  /** Of the machine, in PEM, for one that is spoken to over TLS. */
  readonly authorities: readonly string[]
  /** For texts: its URL without user and password, and the variable. */
  readonly name: string
}

/** Where a connection through a proxy ends. */
export interface ProxyTarget {
  /** IPv6 addresses without brackets. */
  readonly host: string
  readonly port: number
}

/** `Proxy-Authorization` for a proxy that speaks http. */
export function proxyHeaders({ login, protocol }: ProxyServer): Readonly<Record<string, string>> {
  if (login === undefined || protocol === 'socks5:') return {}
  const pair = Buffer.from(`${login.user}:${login.password}`).toString('base64')
  return { 'proxy-authorization': `Basic ${pair}` }
}
