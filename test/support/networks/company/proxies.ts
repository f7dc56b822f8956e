import { readFileSync, writeFileSync } from 'node:fs'
import { capture, startDaemon } from '../../peers/index.ts'
import { type Company, GATEWAY } from './company.ts'
import type { Login } from './login.ts'

/** A proxy on the gateway. */
export interface GatewayProxy extends AsyncDisposable {
  /** `HOST:PORT` */
  readonly host: string
  /** What it was asked so far. */
  log(): string
}

/** Debian's tinyproxy, an http proxy. */
export async function startHttpProxy(
  company: Company,
  options: { readonly port: number; readonly login?: Login },
): Promise<GatewayProxy> {
  const { port, login } = options
  const [log, configuration] = ['log', 'conf'].map((end) =>
    company.directory.file(`tinyproxy-${port}.${end}`),
  ) as [string, string]
  const lines = [`Port ${port}`, `Listen ${GATEWAY}`, 'LogLevel Connect', 'Timeout 60']
  if (login !== undefined) lines.push(`BasicAuth ${login.user} ${login.password}`)
  writeFileSync(configuration, `${lines.join('\n')}\n`)
  return await start(company, ['tinyproxy', '-d', '-c', configuration], {
    port,
    log,
  })
}

/** Debian's microsocks, a SOCKS 5 proxy. */
export async function startSocksProxy(
  company: Company,
  options: { readonly port: number; readonly login?: Login },
): Promise<GatewayProxy> {
  const { port, login } = options
  const log = company.directory.file(`microsocks-${port}.log`)
  const users = login === undefined ? [] : ['-u', login.user, '-P', login.password]
  return await start(company, ['microsocks', '-i', GATEWAY, '-p', `${port}`, ...users], {
    port,
    log,
  })
}

async function start(
  company: Company,
  words: readonly string[],
  { port, log }: { readonly port: number; readonly log: string },
): Promise<GatewayProxy> {
  const [command = '', ...rest] = [...company.gateway, ...words]
  const daemon = await startDaemon(command, rest, {
    log,
    ready: async () => ((await isListening(company, port)) ? 'ready' : undefined),
  })
  return {
    host: `${GATEWAY}:${port}`,
    log: () => readFileSync(log, 'utf8'),
    [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
  }
}

/** Not all proxies say when they are ready. */
async function isListening(company: Company, port: number): Promise<boolean> {
  const [command = '', ...rest] = company.gateway
  const { stdout } = await capture(command, [...rest, 'ss', '-Hltn'])
  return stdout.includes(`:${port} `)
}
