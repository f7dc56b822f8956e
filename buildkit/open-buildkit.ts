import type { Duplex } from 'node:stream'
import { callFailure, controlServices, type ServiceOptions } from '#buildkit/control'
import { FolderTransfers } from '#buildkit/files'
import { openGrpcServer } from '#buildkit/grpc'
import {
  SOLVE_REQUEST,
  type SolveRequest,
  STATUS_RESPONSE,
  type StatusResponse,
} from '#buildkit/messages'
import { type IdentityHeaders, Sessions, sessionIdentity } from '#buildkit/session'
import { Resources } from '#core'

/** What serves BuildKit's clients, on connections that others accept. Disposing ends all builds and connections. */
export interface Buildkit extends AsyncDisposable {
  /** Takes a connection on which a client speaks gRPC. */
  accept(socket: Duplex): void
  /**
   * Refuses a session before its connection is taken.
   * @throws {TsbuildError} USAGE, CONFLICT
   */
  checkSession(headers: IdentityHeaders): void
  /** Takes a connection in which a client serves gRPC. @throws {TsbuildError} USAGE, CONFLICT */
  acceptSession(socket: Duplex, headers: IdentityHeaders): void
  /** Builds without a connection of its own, for a client that has a session. */
  build(request: DoorRequest, signal: AbortSignal): DoorBuild
  /** Whether somebody is connected, or a build goes on. */
  isUsed(): boolean
}

/** A build that is asked for in another way than by gRPC. */
export type DoorRequest = Pick<
  SolveRequest,
  'Ref' | 'Session' | 'FrontendAttrs' | 'Exporters' | 'Entitlements'
>

/** What comes of it. */
export interface DoorBuild {
  /** `StatusResponse`s, encoded, until it has ended. */
  readonly statuses: AsyncIterable<Buffer>
  /** @throws {TsbuildError} as `build` */
  readonly ended: Promise<ReadonlyMap<string, string>>
}

/** How BuildKit's clients are served. */
export type BuildkitOptions = Omit<ServiceOptions, 'sessions' | 'transfers'>

export function openBuildkit(options: BuildkitOptions): Buildkit {
  const resources = new Resources()
  const sessions = resources.use(new Sessions())
  const transfers = resources.use(new FolderTransfers())
  const { services, builds, solve } = controlServices({ ...options, sessions, transfers })
  const server = resources.use(openGrpcServer(services, callFailure))
  const connections = new Set<Duplex>()
  const hold = (socket: Duplex): void => {
    connections.add(socket)
    socket.once('close', () => connections.delete(socket))
  }
  return {
    accept: (socket) => {
      hold(socket)
      server.accept(socket)
    },
    checkSession: (headers) => sessions.check(sessionIdentity(headers).id),
    acceptSession: (socket, headers) => {
      hold(socket)
      sessions.add(socket, sessionIdentity(headers))
    },
    build: (request, signal) => {
      const whole = SOLVE_REQUEST.decode(
        SOLVE_REQUEST.encode({ ...request, Frontend: 'dockerfile.v0' }),
      )
      const ended = solve(whole, signal)
      ended.catch(() => undefined)
      return { statuses: encoded(builds.feed(request.Ref).read(signal)), ended }
    },
    isUsed: () => connections.size > 0 || builds.isUsed,
    [Symbol.asyncDispose]: async () => {
      for (const socket of connections) socket.destroy()
      await resources[Symbol.asyncDispose]()
    },
  }
}

async function* encoded(responses: AsyncIterable<StatusResponse>): AsyncGenerator<Buffer> {
  for await (const response of responses) yield STATUS_RESPONSE.encode(response)
}
