import type { Mount, StepResources, Ulimit } from '#core'
import type { ContainerSettings } from './container-settings.ts'
import type { MadeNetwork, NamespaceHolder } from './namespace-holder.ts'

/** One process to run, with everything it may see. */
export interface ProcessSpec {
  /** Program and arguments; the program is looked up in the PATH of `env`, inside the root. */
  readonly args: readonly string[]
  /** `KEY=value`, complete: nothing of the builder's environment is added but HOME when missing. */
  readonly env: readonly string[]
  /** Absolute; made when missing, resolved inside the root. */
  readonly cwd: string
  /** USER as the image has it: empty, `name`, `uid`, `name:group`, `uid:gid`. */
  readonly user: string
  readonly hostname: string
  /** `default`: one of its own that reaches the world; or one that others have made, or are in. */
  readonly network: 'default' | 'none' | 'host' | MadeNetwork | NamespaceHolder
  /** Lines for /etc/hosts besides the loopback ones: `[host, address]`. */
  readonly extraHosts: readonly (readonly [string, string])[]
  /** The root (`target` is `/`) first, then what is mounted into it, parents before children. */
  readonly mounts: readonly [Mount, ...Mount[]]
  /** Bytes of /dev/shm. */
  readonly shmSize: number
  /** `insecure`: with all rights that the builder has, no filter, and the devices of the host. */
  readonly security: 'sandbox' | 'insecure'
  /**
   * True: pid 1 is a process of the sandbox that does nothing but release orphans. False: the program
   * itself is pid 1; orphans become its children, and signals that it does not handle do not reach it.
   */
  readonly init: boolean
  readonly ulimits: readonly Ulimit[]
  readonly resources: StepResources
  /** Where its control group is made, from the root of the hierarchy. */
  readonly cgroupParent?: string | undefined
  /** It is a container: it has control groups of its own, and what is mounted on is there to stay. */
  readonly container?: ContainerSettings
}

/** Another process in a sandbox in which one runs. */
export interface ExecSpec extends Pick<ProcessSpec, 'args' | 'env' | 'user'> {
  /** Absolute; an existing directory, found inside the root. */
  readonly cwd: string
  /** With every capability, and no security module; a filter of system calls stays. */
  readonly privileged?: boolean
  /** Supplementary groups, by name or number, besides those of its user. */
  readonly groups?: readonly string[]
}
