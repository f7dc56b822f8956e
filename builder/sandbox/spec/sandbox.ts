import type { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import type { WindowSize } from '#builder/linux'
import type { StepResources, StepUsage } from '#core'
import type { ContainerUsage } from './container-usage.ts'
import type { NamespaceHolder } from './namespace-holder.ts'
import type { OpenedRoot } from './opened-root.ts'
import type { ExecSpec, ProcessSpec } from './process-spec.ts'

/** How a process is connected and ended. */
export interface ExecOptions {
  /** Kills the process. */
  readonly signal?: AbortSignal | undefined
  /** `pipe`: the caller writes its standard input. Default: `empty`, the step's own /dev/null. */
  readonly stdin?: 'empty' | 'pipe' | undefined
  /** It gets a terminal of this size for its standard input, output and errors, and controls it. */
  readonly terminal?: WindowSize | undefined
}

/** How the first process of a sandbox is started, besides what it sees: `signal` also kills everything that it started. */
export interface StartOptions extends ExecOptions {
  /** Gets each connection to the socket that is mounted at `target`; without it, all are closed. */
  readonly onConnect?: ((target: string, connection: Socket) => void) | undefined
  /** Another process like it will probably be started when it has ended. Default: false. */
  readonly isFollowed?: boolean
}

/** How a process ended. */
export interface ExitStatus {
  /** 128 + signal number when a signal ended the process. */
  readonly exitCode: number
  readonly signal?: string
  /** A limit that was reached on the way. */
  readonly reached?: 'memory' | 'pids'
  /** What it has used, with everything that it started. */
  readonly used: StepUsage
}

/** A process that runs in a sandbox. Disposing kills it, waits for its end, and drops the output that was not read. */
export interface StartedProcess extends AsyncDisposable {
  /** As the host numbers it, or has numbered it. */
  readonly pid: number
  /**
   * Its standard input; `undefined` where it was started with an empty one. What is written to a terminal is
   * what a person types.
   */
  readonly stdin: Writable | undefined
  /** What it writes. A process waits when its output is not read; a stream ends with its last writer. */
  readonly stdout: Readable
  /** Empty where it has a terminal. */
  readonly stderr: Readable
  /** Gives its terminal another size; a no-op without one, or once it has ended. */
  resize(size: WindowSize): void
  /** Sends a signal to the process itself; a no-op once it has ended. */
  signal(signal: NodeJS.Signals | number): void
  /**
   * May be called any number of times.
   * @returns when the process has ended
   * @throws {TsbuildError} CANCELLED after an abort or the end of the sandbox, PEER_GONE when the
   * sandbox broke
   */
  wait(): Promise<ExitStatus>
}

/**
 * The process that a sandbox was made for. At its end everything that it has started ends, and its mounts are
 * released. Disposing of it brings that about.
 */
export interface RunningProcess extends StartedProcess, NamespaceHolder {
  /**
   * Starts another process beside it: in its root, namespaces and control groups, with its limits and no more
   * rights. It ends with the first one at the latest, and so does what it has started.
   * @returns when it runs its program
   * @throws {TsbuildError} STEP_FAILED when it could not be started or the first one has ended, CANCELLED after an
   * abort, PEER_GONE when the sandbox broke, UNSUPPORTED where there are no namespaces to enter, CONFLICT while it is
   * paused
   */
  exec(spec: ExecSpec, options?: ExecOptions): Promise<StartedProcess>
  /**
   * Stops everything in it until `resume`; what is stopped can still be killed. Idempotent, like `resume`.
   * @returns when nothing runs any more
   * @throws {TsbuildError} UNSUPPORTED where it has no control groups of its own, or these cannot stop it
   */
  pause(): Promise<void>
  /** @throws {TsbuildError} as `pause` does */
  resume(): Promise<void>
  /** What it uses at this moment; empty where it has no control groups of its own. */
  usage(): ContainerUsage
  /**
   * Changes limits; those that are absent stay.
   * @throws {TsbuildError} UNSUPPORTED as `pause` does, SANDBOX_UNAVAILABLE when the kernel refuses a value
   */
  update(resources: StepResources): void
  /**
   * Pids on the host of all processes in it, the first one first.
   * @throws {TsbuildError} UNSUPPORTED where it has no pid namespace
   */
  processes(): readonly number[]
  /** Its root while it runs. @throws {TsbuildError} STEP_FAILED when it has ended, UNSUPPORTED as `openNamespace` */
  openRoot(): OpenedRoot
}

/** Runs any number of processes at a time. Disposing kills all that run, and waits for their end. */
export interface Sandbox extends AsyncDisposable {
  /**
   * @returns when the process runs its program
   * @throws {TsbuildError} SANDBOX_UNAVAILABLE when this host cannot run steps, STEP_FAILED when the
   * process could not be started (unknown user, missing program), CANCELLED after an abort, PEER_GONE
   * when the sandbox broke, USAGE when settings of a container are invalid, UNSUPPORTED when this sandbox
   * has no containers
   */
  start(spec: ProcessSpec, options?: StartOptions): Promise<RunningProcess>
  /**
   * Shows what a process with these mounts would see as its root, but for /dev, /proc and /sys, without one. Missing
   * mount points are made, and stay.
   * @throws {TsbuildError} SANDBOX_UNAVAILABLE, STEP_FAILED, UNSUPPORTED where there are no namespaces
   */
  openRoot(mounts: ProcessSpec['mounts']): Promise<OpenedRoot>
}
