import type { JsonObject } from '#core'
import type { Container, Containers, MadeMountPoints } from '#engine/containers'
import type { Images } from '#engine/images'
import type { LogLine } from '#engine/logs'
import type { ContainerRecord } from '#engine/model'
import type { Networks } from '#engine/networks'
import type { Events } from '#engine/state'
import type { Volumes } from '#engine/volumes'
import type { BuildkitDoor } from './buildkit-door.ts'
import type { FileServices } from './file-services.ts'

/** What is asked of a log. Times are nanoseconds since the epoch. */
export interface LogQuery {
  readonly since: bigint | undefined
  readonly until: bigint | undefined
  readonly tail: number | 'all'
  readonly stdout: boolean
  readonly stderr: boolean
  readonly follow: boolean
  readonly signal: AbortSignal
}

/** What the API serves. */
export interface EngineServices {
  readonly containers: Containers
  readonly events: Events
  readonly images: Images
  readonly networks: Networks
  readonly volumes: Volumes
  readonly files: FileServices
  /** Makes what a new container mounts. @throws {TsbuildError} in docker's words */
  mountPoints(record: ContainerRecord): Promise<MadeMountPoints>
  /** @throws {TsbuildError} UNSUPPORTED where its log cannot be read */
  readLog(container: Container, query: LogQuery): AsyncIterable<LogLine>
  /** What its log says with each line. */
  logAttributes(container: Container): Readonly<Record<string, string>>
  /** The document of a container. */
  inspect(container: Container): JsonObject
  /** Writes how a running container finds others, after its networks have changed. */
  updateNames(record: ContainerRecord): void
  /** The document of GET /info, without counts of containers. */
  info(): Promise<JsonObject>
  readonly version: string
  /** Opened with the first client that asks for it. */
  buildkit(): Promise<BuildkitDoor>
}
