import type { ExitStatus, RunningProcess } from '#builder/sandbox'
import type { ContainerRecord, HostConfig } from '#engine/model'
import type { Documents, NewEvent } from '#engine/state'
import type { OutputName } from './streams.ts'

/** Where the output of a container is kept. */
export interface OutputLog {
  /** A container starts, for the first time or again. */
  begin(): void
  /** The container waits while a promise is pending. */
  write(stream: OutputName, data: Uint8Array): void | Promise<void>
  /** Nothing is written to it any more: those who follow it come to its end. */
  end(): Promise<void>
}

/** Serves the program of a container while it runs. @returns how it ended */
export type ServeProgram = (process: RunningProcess) => Promise<ExitStatus>

/** What containers are run with. */
export interface ContainerDeps {
  readonly documents: Documents<ContainerRecord>
  readonly emit: (event: NewEvent) => void
  /** Says what else is wrong with a container that is to be made. @returns warnings. @throws {TsbuildError} USAGE */
  readonly check: (record: ContainerRecord) => readonly string[]
  /** Drops the limits that this machine cannot keep. */
  readonly keepLimits: (hostConfig: HostConfig) => Promise<KeptLimits>
  /** Runs the program of a container to its end, in its network and on its files. */
  readonly run: (record: ContainerRecord, serve: ServeProgram) => Promise<ExitStatus>
  /** Variables that the network of a container adds to its environment. */
  readonly variables: (record: ContainerRecord) => readonly string[]
  /** Opens the log of a container; it is the same one over restarts. */
  readonly openLog: (record: ContainerRecord) => OutputLog
  /** Gets what the user should know. */
  readonly onWarning: (message: string) => void
  /** Removes the files of a container, and what else belongs to it alone. */
  readonly discard: (record: ContainerRecord, options: DiscardOptions) => Promise<void>
}

/** A host config with the limits that this machine can keep, and what it lacks. */
export interface KeptLimits {
  readonly hostConfig: HostConfig
  readonly warnings: readonly string[]
}

/** What goes with a container. */
export interface DiscardOptions {
  readonly volumes: 'kept' | 'anonymous'
}
