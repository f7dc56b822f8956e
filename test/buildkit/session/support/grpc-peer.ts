/** A client's side of sessions, made of an implementation of gRPC that is not ours. */
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServiceDefinition,
  type UntypedHandleCall,
} from '@grpc/grpc-js'
import { Session } from '#buildkit/session'
import type { HealthTimes } from '../../../../buildkit/session/health.ts'
import type { SessionIdentity } from '../../../../buildkit/session/identity.ts'
import { socketTunnel, type Tunnel } from './tunnel.ts'

/** What a method gets and gives: messages as bytes. */
export type PeerCall = ServerDuplexStream<Buffer, Buffer>

/** Methods by their paths. All are streams to this implementation; one with one answer writes one message. */
export type PeerMethods = Readonly<Record<string, (call: PeerCall) => void>>

export interface Peer extends AsyncDisposable {
  readonly session: Session
  readonly tunnel: Tunnel
}

const HEALTH = '/grpc.health.v1.Health/Check'
/** Serving. */
const HEALTHY = Buffer.from([0x08, 0x01])

/** A method with one request and one answer. */
export function unary(
  answer: (request: Buffer, call: PeerCall) => Uint8Array,
): PeerMethods[string] {
  return (call) => {
    call.on('error', () => undefined)
    call.once('data', (request: Buffer) => {
      try {
        call.write(Buffer.from(answer(request, call)))
        call.end()
      } catch (failure) {
        call.emit('error', failure)
      }
    })
  }
}

/** How gRPC says that a call has failed. */
export function failure(code: number, details: string): Error {
  return Object.assign(new Error(details), { code, details })
}

export function identityOf(methods: readonly string[], id = 'session-1'): SessionIdentity {
  return {
    ...{ id, name: 'test', sharedKey: '' },
    methods: new Set(methods.map((method) => method.toLowerCase())),
  }
}

/** A session of a client that has these methods. */
export async function startPeer(
  methods: PeerMethods,
  {
    open = socketTunnel,
    times,
  }: { readonly open?: () => Promise<Tunnel>; readonly times?: HealthTimes } = {},
): Promise<Peer> {
  const server = serverOf({ [HEALTH]: unary(() => HEALTHY), ...methods })
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure())
  const tunnel = await open()
  injector.injectConnection(tunnel.client)
  const session = new Session(tunnel.daemon, identityOf(Object.keys(methods)), times)
  return {
    session,
    tunnel,
    [Symbol.asyncDispose]: async () => {
      session.close()
      injector.destroy()
      server.forceShutdown()
      tunnel.client.destroy()
    },
  }
}

/** A server that has these methods, and is not served yet. */
export function serverOf(methods: PeerMethods): Server {
  const server = new Server({ 'grpc.max_receive_message_length': -1 })
  for (const [path, handle] of Object.entries(methods)) {
    const service: ServiceDefinition = {
      method: {
        path,
        requestStream: true,
        responseStream: true,
        requestSerialize: (bytes: Buffer) => bytes,
        requestDeserialize: (bytes: Buffer) => bytes,
        responseSerialize: (bytes: Buffer) => bytes,
        responseDeserialize: (bytes: Buffer) => bytes,
      },
    }
    server.addService(service, { method: handle as UntypedHandleCall })
  }
  return server
}
