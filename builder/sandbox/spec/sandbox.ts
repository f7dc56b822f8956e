import type { Socket } from 'node:net'
import type { Mount, StepResources, Ulimit } from '#core'

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
  readonly network: 'default' | 'none' | 'host'
  /** Lines for /etc/hosts besides the loopback ones: `[host, address]`. */
  readonly extraHosts: readonly (readonly [string, string])[]
  /** The root (`target` is `/`) first, then what is mounted into it, parents before children. */
  readonly mounts: readonly [Mount, ...Mount[]]
  /** Bytes of /dev/shm. */
  readonly shmSize: number
  /** `insecure`: with all rights that the builder has, no filter, and the devices of the host. */
  readonly security: 'sandbox' | 'insecure'
  readonly ulimits: readonly Ulimit[]
  readonly resources: StepResources
  /** Where its control group is made, from the root of the hierarchy. */
  readonly cgroupParent?: string | undefined
}

export interface RunOptions {
  readonly signal?: AbortSignal | undefined
  readonly onOutput: (stream: 'stdout' | 'stderr', data: Uint8Array) => void
  /** Gets who connects to the socket that is mounted at `target`; without it, nobody is let in. */
  readonly onConnect?: ((target: string, connection: Socket) => void) | undefined
}

export interface ExitStatus {
  /** 128 + signal number when a signal ended the process. */
  readonly exitCode: number
  readonly signal?: string
  /** A limit that was reached on the way. */
  readonly reached?: 'memory' | 'pids'
}

/** Runs one process at a time per call; calls may overlap. Closing waits for nothing and kills all. */
export interface Sandbox extends AsyncDisposable {
  /**
   * @returns when the process and everything that it started are gone
   * @throws {TsbuildError} SANDBOX_UNAVAILABLE when this host cannot run steps, STEP_FAILED when the
   * process could not be started (unknown user, missing program), CANCELLED after an abort
   */
  run(spec: ProcessSpec, options: RunOptions): Promise<ExitStatus>
}
