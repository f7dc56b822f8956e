import { once } from 'node:events'
import { isIP, type Socket } from 'node:net'
import { HttpError } from '../errors.ts'
import { deniedError } from './denied.ts'
import type { ProxyServer, ProxyTarget } from './proxy-server.ts'

const VERSION = 5
const NO_LOGIN = 0
const LOGIN = 2
const BY_NAME = 3
/** What comes after the kind of an address: its bytes; a name has its own length before it. */
const ADDRESS_SIZES: Readonly<Record<number, number>> = { 1: 4, 4: 16 }
/** Spec: RFC 1928 6 */
const REPLIES: Readonly<Record<number, string>> = {
  2: 'does not allow this host',
  3: 'cannot reach its network',
  4: 'cannot reach the host',
  5: 'has its connection refused by the host',
}

/**
 * Makes a connection to a SOCKS 5 proxy one to `target`, whose name the proxy looks up. A failure of the
 * connection is an event of the socket. Spec: RFC 1928, RFC 1929
 * @throws {HttpError} PROXY_FAILED, PROXY_DENIED
 */
export async function greetSocks(
  socket: Socket,
  proxy: ProxyServer,
  target: ProxyTarget,
): Promise<void> {
  const methods = proxy.login === undefined ? [NO_LOGIN] : [NO_LOGIN, LOGIN]
  socket.write(Buffer.from([VERSION, methods.length, ...methods]))
  const [version, method] = await read(socket, 2)
  if (version !== VERSION) throw failure(proxy, 'does not speak SOCKS 5')
  if (method === LOGIN && proxy.login !== undefined) await logIn(socket, proxy, proxy.login)
  else if (method !== NO_LOGIN) throw deniedError(proxy, 407)
  socket.write(Buffer.concat([Buffer.from([VERSION, 1, 0]), addressOf(proxy, target)]))
  const [, reply = 0, , kind = 0] = await read(socket, 4)
  if (reply !== 0) {
    const what = REPLIES[reply] ?? `answered ${reply}`
    throw reply === 2 ? deniedError(proxy, 403) : failure(proxy, what)
  }
  const size = ADDRESS_SIZES[kind] ?? (await read(socket, 1))[0] ?? 0
  await read(socket, size + 2)
}

async function logIn(
  socket: Socket,
  proxy: ProxyServer,
  { user, password }: NonNullable<ProxyServer['login']>,
): Promise<void> {
  const fields = [user, password].map((text) => counted(proxy, text))
  socket.write(Buffer.concat([Buffer.from([1]), ...fields]))
  const [, status] = await read(socket, 2)
  if (status !== 0) throw deniedError(proxy, 407)
}

function addressOf(proxy: ProxyServer, { host, port }: ProxyTarget): Buffer {
  const family = isIP(host)
  const address =
    family === 0
      ? Buffer.concat([Buffer.from([BY_NAME]), counted(proxy, host)])
      : Buffer.from([family === 4 ? 1 : 4, ...addressBytes(host, family)])
  return Buffer.concat([address, Buffer.from([port >> 8, port & 255])])
}

function addressBytes(host: string, family: number): readonly number[] {
  if (family === 4) return host.split('.').map(Number)
  // The URL class writes four bytes in dots as hex digits.
  const { hostname } = new URL(`http://[${host}]`)
  const [head = '', tail] = hostname.slice(1, -1).split('::')
  const groupsOf = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))
  const [before, after] = [groupsOf(head), groupsOf(tail ?? '')]
  const zeros = new Array<number>(8 - before.length - after.length).fill(0)
  return [...before, ...zeros, ...after].flatMap((group) => [group >> 8, group & 255])
}

/** A text with its length before it. */
function counted(proxy: ProxyServer, text: string): Buffer {
  const bytes = Buffer.from(text)
  if (bytes.length > 255) throw failure(proxy, 'takes no text of more than 255 bytes')
  return Buffer.concat([Buffer.from([bytes.length]), bytes])
}

/** Exactly `size` bytes: what comes after them is the target's. */
async function read(socket: Socket, size: number): Promise<Buffer> {
  for (;;) {
    const bytes: Buffer | null = socket.read(size)
    if (bytes !== null) return bytes
    await once(socket, 'readable')
  }
}

function failure({ name }: ProxyServer, what: string): HttpError {
  return new HttpError(`proxy ${name} ${what}`, { code: 'PROXY_FAILED' })
}
