import type { IncomingHttpHeaders } from 'node:http'
import type { Duplex } from 'node:stream'

/** What serves BuildKit's clients that come by way of the engine's socket. */
export interface BuildkitDoor {
  /** Takes a connection on which a client speaks gRPC. */
  accept(socket: Duplex): void
  /** Refuses a session before its connection is taken. @throws {TsbuildError} USAGE, CONFLICT */
  checkSession(headers: IncomingHttpHeaders): void
  /** Takes a connection in which a client serves gRPC. */
  acceptSession(socket: Duplex, headers: IncomingHttpHeaders): void
  /** Builds for a client that has a session, and asks for it by `POST /build`. */
  build(request: DoorRequest, signal: AbortSignal): DoorBuild
}

/** What is asked of BuildKit's frontend. Spec: BuildKit, api/services/control, SolveRequest */
export interface DoorRequest {
  readonly Ref: string
  readonly Session: string
  readonly FrontendAttrs: ReadonlyMap<string, string>
  readonly Exporters: readonly DoorExporter[]
  readonly Entitlements: readonly string[]
}

/** Where a result goes. */
export interface DoorExporter {
  readonly Type: string
  readonly Attrs: ReadonlyMap<string, string>
}

/** What comes of it. */
export interface DoorBuild {
  /** How it goes on, as BuildKit's clients read it, until it has ended. */
  readonly statuses: AsyncIterable<Buffer>
  /** What is known of where the result went. @throws {TsbuildError} why there is none */
  readonly ended: Promise<ReadonlyMap<string, string>>
}
