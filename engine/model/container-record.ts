import type { Digest, Platform } from '#core'
import type { Config, EndpointConfig, HostConfig } from './bodies.ts'

/** In what state a container is. Spec: Docker Engine API, ContainerState */
export type ContainerStatus =
  | 'created'
  | 'running'
  | 'paused'
  | 'restarting'
  | 'removing'
  | 'exited'
  | 'dead'

/** How a container is, or how it ended. Times are RFC 3339 with nanoseconds. */
export interface ContainerState {
  readonly status: ContainerStatus
  /** The number of its program on this machine; 0: none runs. */
  readonly pid: number
  readonly exitCode: number
  readonly error: string
  readonly isOutOfMemory: boolean
  readonly startedAt: string
  readonly finishedAt: string
}

/** The image that a container was made of. */
export interface ContainerImage {
  /** As the user named it. */
  readonly name: string
  /** Digest of its manifest. */
  readonly manifest: Digest
  /** Digest of its config: the image's id. */
  readonly id: Digest
  readonly platform: Platform
}

/** A mount point of a container. Spec: Docker Engine API, MountPoint */
export interface MountPoint {
  readonly Type: 'bind' | 'volume' | 'tmpfs' | 'image'
  readonly Name?: string
  readonly Source: string
  readonly Destination: string
  readonly Driver?: string
  readonly Mode: string
  readonly RW: boolean
  readonly Propagation: string
}

/** A mount with what opening it needs to know besides, which is not shown. */
export interface ContainerMount extends MountPoint {
  readonly spec?: MountSpec
}

/** How something is mounted that is not there by default. */
export interface MountSpec {
  /** Of a bind: what is mounted below it is not shown. */
  readonly isFlat?: boolean
  /** Of a bind that is read only: whether what is mounted below it can be written to. */
  readonly writableBelow?: 'always' | 'never'
  /** Of a bind: where there is no such path, a directory is made. */
  readonly makesSource?: boolean
  /** Of a volume or an image: the part that is shown. */
  readonly subpath?: string
  /** Of memory: as `docker run --tmpfs` takes them. */
  readonly options?: readonly string[]
}

/** The mounts of a container as the API shows them. */
export function mountPointsOf({ mounts }: Pick<ContainerRecord, 'mounts'>): readonly MountPoint[] {
  return mounts.map(({ spec: _, ...point }) => point)
}

/** All that lasts of a container. */
export interface ContainerRecord {
  /** 64 hexadecimal digits. */
  readonly id: string
  /** Without the leading slash that the API shows. */
  readonly name: string
  readonly created: string
  /** With what its image says. */
  readonly config: Config
  readonly hostConfig: HostConfig
  readonly endpoints: Readonly<Record<string, EndpointConfig>>
  readonly image: ContainerImage
  readonly mounts: readonly ContainerMount[]
  readonly state: ContainerState
  readonly restartCount: number
  /** It was stopped by a request, so that `unless-stopped` does not start it again. */
  readonly isStoppedByUser: boolean
}

/** Before there is a time. */
export const NO_TIME = '0001-01-01T00:00:00Z'

export const CREATED_STATE: ContainerState = {
  status: 'created',
  pid: 0,
  exitCode: 0,
  error: '',
  isOutOfMemory: false,
  startedAt: NO_TIME,
  finishedAt: NO_TIME,
}
