import { readFileSync, writeFileSync } from 'node:fs'
import { run, startDaemon } from '../../peers/index.ts'
import { type Company, OUTSIDE } from './company.ts'
import type { Login } from './login.ts'

/** A docker-registry of the outside. */
export interface OutsideRegistry extends AsyncDisposable {
  readonly port: number
  /** What it was asked so far. */
  log(): string
}

/** How it is reached. */
export interface OutsideRegistryOptions {
  readonly port: number
  /** Files; plain http without. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly clientCa?: string }
  readonly login?: Login
  /** The URL of a registry that it fetches everything from. */
  readonly pullsFrom?: string
}

export async function startOutsideRegistry(
  company: Company,
  options: OutsideRegistryOptions,
): Promise<OutsideRegistry> {
  const { port, tls, login, pullsFrom } = options
  const file = (end: string): string => company.directory.file(`registry-${port}.${end}`)
  const clientCas = tls?.clientCa === undefined ? {} : { clientcas: [tls.clientCa] }
  const document = {
    version: 0.1,
    log: { level: 'info', accesslog: { disabled: false } },
    storage: { filesystem: { rootdirectory: file('storage') }, delete: { enabled: true } },
    http: {
      addr: `0.0.0.0:${port}`,
      ...(tls === undefined ? {} : { tls: { certificate: tls.cert, key: tls.key, ...clientCas } }),
    },
    ...(login === undefined
      ? {}
      : {
          auth: { htpasswd: { realm: 'registry', path: await writeUsers(file('users'), login) } },
        }),
    ...(pullsFrom === undefined ? {} : { proxy: { remoteurl: pullsFrom } }),
  }
  writeFileSync(file('json'), JSON.stringify(document))
  const [command = '', ...rest] = [...company.outside, 'docker-registry', 'serve', file('json')]
  const daemon = await startDaemon(command, rest, {
    log: file('log'),
    ready: (text) => (/listening on \S+:\d+/.test(text) ? 'ready' : undefined),
  })
  return {
    port,
    log: () => readFileSync(file('log'), 'utf8'),
    [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
  }
}

/** Copies an OCI layout into a registry of the outside, without any check of certificates. */
export async function pushOutside(
  company: Company,
  layout: string,
  image: string,
  login?: Login,
): Promise<void> {
  const users = login === undefined ? [] : ['--dest-creds', `${login.user}:${login.password}`]
  const words = [
    'skopeo',
    '--insecure-policy',
    'copy',
    '--quiet',
    '--dest-tls-verify=false',
    ...users,
  ]
  const [command = '', ...rest] = [...company.outside, ...words]
  await run(command, [...rest, `oci:${layout}:latest`, `docker://${OUTSIDE}${image}`])
}

async function writeUsers(path: string, { user, password }: Login): Promise<string> {
  const { stdout } = await run('htpasswd', ['-Bbn', user, password])
  writeFileSync(path, stdout)
  return path
}
