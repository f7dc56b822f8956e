import { TsbuildError } from '#core'

/** Where a daemon listens. */
export type ListenAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'descriptor'; readonly descriptor: number }

/** Files for mutual TLS. */
export interface TlsFiles {
  readonly ca: string
  readonly cert: string
  readonly key: string
}

/** Of a socket that the service manager has made. Spec: sd_listen_fds(3) */
const FIRST_DESCRIPTOR = 3

/** The port of TCP with TLS where none is named. */
const TLS_PORT = 2376

/** `unix://PATH`, `tcp://HOST[:PORT]` or `fd://`. @throws {TsbuildError} USAGE */
export function parseListenAddress(text: string): ListenAddress {
  const [, scheme, rest = ''] = /^(unix|tcp|fd):\/\/(.*)$/.exec(text) ?? []
  if (scheme === 'unix' && rest.startsWith('/')) return { kind: 'unix', path: rest }
  if (scheme === 'fd') return { kind: 'descriptor', descriptor: FIRST_DESCRIPTOR }
  if (scheme === 'tcp' && URL.canParse(`tcp://${rest}`)) {
    const { hostname, port } = new URL(`tcp://${rest}`)
    const host = hostname.replace(/^\[|\]$/g, '')
    return { kind: 'tcp', host, port: port === '' ? TLS_PORT : Number(port) }
  }
  throw new TsbuildError(`invalid --host ${JSON.stringify(text)}`, {
    code: 'USAGE',
    hint: 'write unix:///PATH, tcp://HOST:PORT or fd://',
  })
}
