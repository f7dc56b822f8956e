import { TsbuildError } from '#core'

/** Where a daemon listens. */
export type ListenAddress =
  /** `isOwn`: nothing but what belongs to daemons is in its folder. */
  | { readonly kind: 'unix'; readonly path: string; readonly isOwn?: boolean }
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
const MOST_DESCRIPTORS = 64

/** The port of TCP with TLS where none is named. */
const TLS_PORT = 2376

/**
 * `unix://PATH`, `tcp://HOST[:PORT]`, or `fd://` for all sockets that a service manager has made.
 * @throws {TsbuildError} USAGE
 */
export function parseListenAddresses(
  text: string,
  { LISTEN_FDS }: { readonly LISTEN_FDS?: string | undefined },
): readonly ListenAddress[] {
  if (!/^fd:\/\//.test(text)) return [parseListenAddress(text)]
  const count = Number(LISTEN_FDS)
  if (!Number.isInteger(count) || count < 1 || count > MOST_DESCRIPTORS) {
    throw new TsbuildError('--host fd://: no service manager has made a socket for this process', {
      code: 'USAGE',
      hint: 'start it by its socket unit, or name a socket: unix:///PATH',
    })
  }
  return Array.from({ length: count }, (_, index) => ({
    kind: 'descriptor',
    descriptor: FIRST_DESCRIPTOR + index,
  }))
}

function parseListenAddress(text: string): ListenAddress {
  const [, scheme, rest = ''] = /^(unix|tcp):\/\/(.*)$/.exec(text) ?? []
  if (scheme === 'unix' && rest.startsWith('/')) return { kind: 'unix', path: rest }
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
