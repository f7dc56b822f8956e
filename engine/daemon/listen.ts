import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { dirname } from 'node:path'
import type { Duplex } from 'node:stream'
import { createServer as createTlsServer } from 'node:tls'
import { errnoOf, ioError, TsbuildError } from '#core'
import type { ListenAddress, TlsFiles } from './listen-address.ts'

/** What a daemon listens with. */
export interface ListenOptions {
  /** A group whose members may use unix sockets. */
  readonly group: number | undefined
  readonly tls: TlsFiles | undefined
}

/** A client that has ended its input still gets the output of what it is connected with. */
const CONNECTIONS = { allowHalfOpen: true, noDelay: true } as const

/** A socket that accepts connections. Disposing closes it, and removes its file. */
export type Listener = Disposable

/** Takes a connection. */
export type Accept = (socket: Duplex) => void

/**
 * Accepts connections on an address.
 * @throws {TsbuildError} CONFLICT when another daemon listens there, PERMISSION_DENIED, USAGE, IO_FAILED
 */
export async function listenOn(
  address: ListenAddress,
  accept: Accept,
  options: ListenOptions,
): Promise<Listener> {
  switch (address.kind) {
    case 'unix':
      return await listenOnPath(address, accept, options)
    case 'tcp':
      return await listenOnPort(address, accept, options)
    case 'descriptor':
      return await listening(plainServer(accept), { fd: address.descriptor }, () => undefined)
  }
}

/** The socket is made under another name with its final rights, so that nobody connects before it has them. */
async function listenOnPath(
  { path, isOwn = false }: Extract<ListenAddress, { kind: 'unix' }>,
  accept: Accept,
  { group }: ListenOptions,
): Promise<Listener> {
  const folder = dirname(path)
  const first = makeFolder(folder)
  if (group !== undefined) {
    if (first !== undefined) letEnter(foldersBetween(first, folder), group)
    else if (isOwn) letEnter([folder], group)
  }
  await removeStale(path)
  const draft = `${path}.${process.pid}`
  const before = process.umask(0o177)
  let listener: Listener
  try {
    listener = await listening(plainServer(accept), { path: draft }, () =>
      rmSync(path, { force: true }),
    )
  } finally {
    process.umask(before)
  }
  if (group !== undefined) {
    chownSync(draft, -1, group)
    chmodSync(draft, 0o660)
  }
  renameSync(draft, path)
  return listener
}

/** @returns the first folder that was not there */
function makeFolder(path: string): string | undefined {
  try {
    return mkdirSync(path, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw ioError(`make ${path}`, cause)
  }
}

/** Members of a group reach what they are told of, and see nothing else. */
function letEnter(folders: readonly string[], group: number): void {
  for (const folder of folders) {
    try {
      chownSync(folder, -1, group)
      chmodSync(folder, 0o710)
    } catch (cause) {
      throw ioError(`let the group ${group} enter ${folder}`, cause)
    }
  }
}

/** Both of them included. */
function foldersBetween(first: string, last: string): readonly string[] {
  return last === first ? [last] : [...foldersBetween(first, dirname(last)), last]
}

/** A socket on which nobody listens any more is in the way; anything else is left alone. */
async function removeStale(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) return
  if (!found.isSocket()) {
    throw new TsbuildError(`listen on ${path}: it is there, and it is not a socket`, {
      code: 'CONFLICT',
      hint: 'name another path with --host',
    })
  }
  if (await answers(path)) {
    throw new TsbuildError(`listen on ${path}: another daemon listens there`, {
      code: 'CONFLICT',
      hint: 'stop it, or name another path with --host',
    })
  }
  rmSync(path, { force: true })
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', (cause) => resolve(errnoOf(cause) === 'EACCES'))
  })
}

/** Without certificates of clients, whoever reaches the port has the rights of this process. */
async function listenOnPort(
  { host, port }: Extract<ListenAddress, { kind: 'tcp' }>,
  accept: Accept,
  { tls }: ListenOptions,
): Promise<Listener> {
  if (tls === undefined) {
    throw new TsbuildError(`listen on tcp://${host}:${port}: clients need certificates`, {
      code: 'USAGE',
      hint: 'give --tlscacert, --tlscert and --tlskey; who can use the socket has all rights of the daemon',
    })
  }
  const server = createTlsServer({
    ...CONNECTIONS,
    ca: readFileSync(tls.ca),
    cert: readFileSync(tls.cert),
    key: readFileSync(tls.key),
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
  })
  server.on('secureConnection', accept)
  server.on('tlsClientError', () => undefined)
  return await listening(server, { host, port }, () => undefined)
}

function plainServer(accept: Accept): Server {
  const server = createServer(CONNECTIONS)
  server.on('connection', accept)
  return server
}

async function listening(
  server: Server,
  where: {
    readonly path?: string
    readonly host?: string
    readonly port?: number
    readonly fd?: number
  },
  onClose: () => void,
): Promise<Listener> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(ioError(`listen on ${describe(where)}`, cause)))
    server.listen(where, resolve)
  })
  return {
    // Connections that are there go on: those who wait learn how their containers end.
    [Symbol.dispose]: () => {
      onClose()
      server.close()
    },
  }
}

function describe({ path, host, port, fd }: Parameters<typeof listening>[1]): string {
  return path ?? (fd === undefined ? `${host}:${port}` : `descriptor ${fd}`)
}
