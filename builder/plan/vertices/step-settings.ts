import type { StepResources, Ulimit } from '#core'

/** A right that a Dockerfile may ask for and only the user can grant. */
export type Entitlement = 'network.host' | 'security.insecure'

/** The settings of the user for all RUN steps. */
export interface StepSettings {
  readonly allow: readonly Entitlement[]
  /** Lines of /etc/hosts. */
  readonly extraHosts: readonly (readonly [host: string, address: string])[]
  /** Bytes of /dev/shm. */
  readonly shmSize: number
  readonly ulimits: readonly Ulimit[]
  readonly resources: StepResources
  /** Where control groups of steps are made, from the root of the hierarchy. */
  readonly cgroupParent: string | undefined
}

/** The settings of RUN steps unless the user gives others. */
export const DEFAULT_STEP_SETTINGS: StepSettings = {
  allow: [],
  extraHosts: [],
  shmSize: 64 << 20,
  ulimits: [],
  resources: {},
  cgroupParent: undefined,
}
