import type { Identity, Namespaces } from '#builder/linux'
import { type ErrorCode, errnoOf, firstFailure, ioError, TsbuildError } from '#core'
import type { ProcessSpec } from './sandbox.ts'
import type { StepSocket } from './step-mounts.ts'
import type { StubRecord } from './stubs.ts'

/**
 * What the main thread and its two sandbox workers say to each other. Descriptors are shared by all
 * threads of a process, so a number is enough to hand one over; the receiver owns it then.
 */

/** What both workers are started with. */
export interface WorkerSettings {
  /** An empty directory of ours: in each step's mount namespace, what it needs is mounted here. */
  readonly scaffold: string
  /** Lets the launching thread, and nobody else, pass the filter's rule for setns(2). */
  readonly setnsKey: number
  /** The program `mount` of the host. */
  readonly mountProgram: string
}

/** What a launch worker is started with. */
export interface LauncherSettings extends WorkerSettings {
  readonly security: ProcessSpec['security']
}

/** To the namespace worker: make a place for a step to run in. */
export interface PrepareRequest {
  readonly kind: 'prepare'
  readonly id: number
  readonly spec: ProcessSpec
  /** Descriptor of an existing network namespace to use, or how to get one. */
  readonly network: number | 'none' | 'host'
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
  /** The child of this process that ends with pid 1. */
  readonly child: number
  /** Pid 1 ends when this descriptor is closed, and with it everything in the namespace. */
  readonly control: number
  readonly namespaces: Namespaces
  /** Descriptor of the working directory of the step. */
  readonly cwd: number
  readonly user: Identity
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
  /** Descriptor of a FIFO that the process waits at before it starts; the sender closes it. */
  readonly gate: number | undefined
}

/** The process is about to wait at the gate. */
export interface AtGate {
  readonly kind: 'at-gate'
  readonly id: number
  /** The thread that it is a child of. */
  readonly thread: number
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
  if (errnoOf(cause) === undefined) return { message, code: undefined, hint: undefined, stack }
  const hint = 'check that this host lets builds make namespaces and mounts'
  return { message, code: 'SANDBOX_UNAVAILABLE', hint, stack }
}

export function fromPlainError(error: PlainError): Error {
  const { message, code, hint, stack } = error
  if (code === undefined) return new Error(message, { cause: stack })
  return new TsbuildError(message, { code, hint, cause: stack })
}
