import type { Identity, Namespaces } from '#builder/linux'
import { type ErrorCode, errnoOf, firstFailure, ioError, TsbuildError, type Ulimit } from '#core'
import { processStatus, remedyFor } from '../host/rights.ts'
import type { GroupPlace } from '../limits/control-groups.ts'
import type { StepSocket } from '../root/step-mounts.ts'
import type { StubRecord } from '../root/stubs.ts'
import type { ProcessSpec } from '../spec/sandbox.ts'

/**
 * What the main thread and its two sandbox workers say to each other. Descriptors are shared by all
 * threads of a process, so a number is enough to hand one over; the receiver owns it then.
 */

/** What the namespace worker is started with. */
export interface WorkerSettings {
  /** An empty directory of ours: in each step's mount namespace, what it needs is mounted here. */
  readonly scaffold: string
}

/** What a launch worker is started with. */
export interface LauncherSettings {
  /** The control groups of the steps that it starts, unless they have others. */
  readonly groups: readonly GroupPlace[]
}

/** To the namespace worker: make a place for a step to run in. */
export interface PrepareRequest {
  readonly kind: 'prepare'
  readonly id: number
  readonly spec: ProcessSpec
  /** Descriptor of an existing network namespace to use, or how to get one. */
  readonly network: number | 'none' | 'host'
  /** The control groups that it will be in. */
  readonly groups: readonly GroupPlace[]
  /** Whether they keep it from opening devices of the host. */
  readonly devicesLimited: boolean
}

/** To the namespace worker: make a network namespace. */
export interface NetworkRequest {
  readonly kind: 'make-network'
  readonly id: number
}

/** Its descriptor. */
export interface NetworkMade {
  readonly kind: 'network'
  readonly id: number
  readonly namespace: number
}

/** To both workers: release everything and end. */
export interface CloseRequest {
  readonly kind: 'close'
}

/** The place is ready. */
export interface Prepared {
  readonly kind: 'prepared'
  readonly id: number
  /** Pid 1 of the step's pid namespace, as the host numbers it. */
  readonly init: number
  /** Pid 1 ends when this descriptor is closed, and with it everything in the namespace. */
  readonly control: number
  readonly namespaces: Namespaces
  /** Descriptor of the step's root. */
  readonly root: number
  /** Descriptor of the working directory of the step, and where it is in the root. */
  readonly cwd: number
  readonly cwdPath: string
  /** Descriptor of the step's own /dev/null, for its standard input. */
  readonly input: number
  readonly user: Identity
  /** Of system calls, as pid 1 has it; absent: none. */
  readonly filter: Uint8Array | undefined
  /** The environment, complete. */
  readonly env: readonly string[]
  /** Where the step finds somebody of the builder's to talk to. */
  readonly sockets: readonly StepSocket[]
  /** What must be removed from the root's files once the place is gone. */
  readonly stubs: StubRecord
}

/** To a launch worker: run the step's process in its place, then take the place down. */
export interface LaunchRequest {
  readonly kind: 'launch'
  readonly id: number
  readonly place: Prepared
  readonly args: readonly string[]
  readonly ulimits: readonly Ulimit[]
  /** Control groups of its own. */
  readonly groups: readonly GroupPlace[] | undefined
}

export interface Launched {
  readonly kind: 'launched'
  readonly id: number
  /** Read ends of the pipes that the process writes to. */
  readonly stdout: number
  readonly stderr: number
}

/** The process has ended, all others in its namespaces are gone, and so are its mounts. */
export interface Ended {
  readonly kind: 'ended'
  readonly id: number
  readonly exitCode: number
  readonly signal: string | undefined
}

/** The request could not be fulfilled, and nothing of it is left. */
export interface Failed {
  readonly kind: 'failed'
  readonly id: number
  readonly error: PlainError
}

/** An error as it travels between threads, where classes are lost. */
export interface PlainError {
  readonly message: string
  /** Absent: a mistake in the program. */
  readonly code: ErrorCode | undefined
  readonly hint: string | undefined
  readonly stack: string | undefined
}

/** Which is no matter of what the host allows; unshare(2) says the same of too many namespaces. */
function isFull(cause: unknown): boolean {
  const errno = errnoOf(cause)
  const isOfNamespaces = cause instanceof Error && 'syscall' in cause && cause.syscall === 'unshare'
  return (errno === 'ENOSPC' || errno === 'EDQUOT') && !isOfNamespaces
}

/** A system call that fails without further explanation means that this host cannot run the step. */
export function toPlainError(failure: unknown, doing: string): PlainError {
  const first = firstFailure(failure)
  const cause = isFull(first) ? ioError(doing, first) : first
  const stack = cause instanceof Error ? cause.stack : undefined
  if (cause instanceof TsbuildError) {
    return { message: cause.message, code: cause.code, hint: cause.hint, stack }
  }
  const reason = cause instanceof Error ? cause.message : String(cause)
  const message = `${doing}: ${reason}`
  const errno = errnoOf(cause)
  if (errno === undefined) return { message, code: undefined, hint: undefined, stack }
  const hint =
    remedyFor(errno, processStatus()) ??
    'check that this host lets builds make namespaces and mounts'
  return { message, code: 'SANDBOX_UNAVAILABLE', hint, stack }
}

export function fromPlainError(error: PlainError): Error {
  const { message, code, hint, stack } = error
  if (code === undefined) return new Error(message, { cause: stack })
  return new TsbuildError(message, { code, hint, cause: stack })
}
