import type { Duplex } from 'node:stream'
import { Server, ServerCredentials, type UntypedServiceImplementation } from '@grpc/grpc-js'
import { definitionOf, type FailureOf, type Method } from './service.ts'

/** Bytes of a message: what BuildKit takes. */
const MOST_MESSAGE = 16 * 1024 * 1024
const MOST_CALLS = 1000
const MOST_HEADERS = 64 * 1024
/** Milliseconds between looks whether a client is still there, and for its answer. */
const KEEPALIVE = 30_000
const KEEPALIVE_TIMEOUT = 20_000

/** The methods of a service, by their names. */
export type Methods = Readonly<Record<string, (failureOf: FailureOf) => Method>>

/** A server of gRPC on connections that others accept. Disposing ends all calls. */
export interface GrpcServer extends AsyncDisposable {
  readonly accept: (socket: Duplex) => void
}

/** @param services their methods, by their names */
export function openGrpcServer(
  services: Readonly<Record<string, Methods>>,
  failureOf: FailureOf,
): GrpcServer {
  const server = new Server({
    'grpc.max_receive_message_length': MOST_MESSAGE,
    'grpc.max_send_message_length': MOST_MESSAGE,
    'grpc.max_concurrent_streams': MOST_CALLS,
    'grpc.max_metadata_size': MOST_HEADERS,
    'grpc.keepalive_time_ms': KEEPALIVE,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT,
  })
  for (const [service, methods] of Object.entries(services)) {
    const served = Object.entries(methods).map(([name, make]) => [name, make(failureOf)] as const)
    server.addService(
      Object.fromEntries(
        served.map(([name, method]) => [name, definitionOf(`/${service}/${name}`, method)]),
      ),
      Object.fromEntries(
        served.map(([name, { serve }]) => [name, serve]),
      ) as UntypedServiceImplementation,
    )
  }
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure())
  return {
    accept: (socket) => injector.injectConnection(socket),
    [Symbol.asyncDispose]: async () => {
      injector.destroy()
      server.forceShutdown()
      await Promise.resolve()
    },
  }
}
