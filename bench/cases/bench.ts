import type { Base, Builder } from '../builders/builder.ts'
import type { Samples } from '../measure/turns.ts'
import type { Goal } from '../report/goal.ts'

/** The base images of the cases: `local` is busybox, which builders have under its name if they can. */
export type BaseName = 'busybox' | 'local' | 'debian'

/** What the cases of one run share. */
export interface Bench {
  /** A path for files, in a folder that is removed in the end. */
  readonly file: (name: string) => string
  /** The host of the registry. */
  readonly registry: string
  /** Serves the registry at the same address in the network namespace of a process. */
  readonly serveRegistry: (pid: number) => Promise<AsyncDisposable>
  /** A base image, pushed to the registry when it is first asked for. */
  readonly base: (name: BaseName) => Promise<Base>
  /** The blob of the only layer of a base image, packed with gzip. */
  readonly layer: (name: BaseName) => Promise<string>
}

/** What a case is measured with. */
export interface Measuring {
  readonly bench: Bench
  readonly builders: readonly Builder[]
  readonly rounds: number
}

/** A row of the table: something that all builders are timed with. */
export interface Case {
  /** By which it is asked for on the command line. */
  readonly name: string
  /** What it is, for people. */
  readonly title: string
  /** Whether the networks of steps are isolated; default: steps have the host's. */
  readonly isIsolated?: boolean
  /** What tsbuild should take at most (issue 12). */
  readonly goal?: Goal
  /** What is measured beside the builders: the name of its samples. */
  readonly beside?: string
  measure(measuring: Measuring): Promise<Samples>
}
