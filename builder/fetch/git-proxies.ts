import { type Environment, hasProxy, variableOf } from '#http'

/** Git's client has a proxy for this machine too, unless it is excepted. */
const LOOPBACK = ['localhost', '127.0.0.0/8', '127.0.0.1', '::1']

/**
 * The proxies of an environment as variables for git, whose client reads `HTTP_PROXY` in lower case only, looks
 * names up itself for `socks5`, and knows no `*.` in `NO_PROXY`. Spec: curl(1), ENVIRONMENT
 */
export function gitProxies(environment: Environment): Readonly<Record<string, string>> {
  if (!hasProxy(environment)) return {}
  const isForged = Boolean(environment.REQUEST_METHOD)
  const http = isForged ? environment.http_proxy : variableOf(environment, 'HTTP_PROXY')
  const proxies = {
    http_proxy: http,
    https_proxy: variableOf(environment, 'HTTPS_PROXY'),
    all_proxy: variableOf(environment, 'ALL_PROXY'),
  }
  const set = Object.entries(proxies).flatMap(([name, value]) =>
    value ? [[name, value.trim().replace(/^socks5:/i, 'socks5h:')] as const] : [],
  )
  const excepted = (variableOf(environment, 'NO_PROXY') ?? '').split(',').map((one) => one.trim())
  const noProxy = excepted.includes('*')
    ? '*'
    : [...excepted.map((one) => one.replace(/^\*\./, '.')), ...LOOPBACK].filter(Boolean).join(',')
  return { ...Object.fromEntries(set), no_proxy: noProxy }
}
