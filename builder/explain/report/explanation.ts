import type { ExecutionReason } from '#core'

/*
 * What is said of a build: plain data, written as JSON as it is. docs/cache.md describes it; `version` is
 * raised when a field changes its meaning or goes away.
 */

/** Why the steps of a build ran. */
export interface BuildExplanation {
  readonly version: 1
  /** The context: an absolute path, or an address without credentials. */
  readonly context: string
  readonly dockerfile: string
  /** When the build ended, RFC 3339. */
  readonly time: string
  /** Steps of the Dockerfile that the build needed. */
  readonly total: number
  /** Those of them that ran, whether or not they succeeded. */
  readonly ran: number
  /** Those whose results were found. In a build that failed, others were not reached. */
  readonly cached: number
  /** Those that were asked for, in the order of the plan. */
  readonly steps: readonly StepExplanation[]
}

/** Where a step stands. */
export interface StepPlace {
  /** As progress shows it, e.g. `[build 2/5] RUN make`. */
  readonly name: string
  /** Its first line in the Dockerfile, 1-based. */
  readonly line: number
}

/** How a step has ended; `unused` was found because a result on top of it was. */
export type StepOutcome = 'done' | 'failed' | 'cancelled' | 'cached' | 'unused' | 'not reached'

/** Why one step ran. */
export interface StepExplanation extends StepPlace {
  /** Its last line. */
  readonly end: number
  readonly stage: string
  readonly platform: string
  readonly outcome: StepOutcome
  /** Why it was executed, as events say it; absent for a step that did not run. */
  readonly reason?: ExecutionReason
  /** The cache key of its result. */
  readonly key?: string
  /** The step of an earlier build that it was compared with; absent where there is none. */
  readonly earlier?: EarlierResult
  /** None where the reason says everything. */
  readonly differences: readonly Difference[]
  /** Where a step below it ran: the lowest step that has a cause of its own. */
  readonly firstCause?: StepPlace
}

/** A step of an earlier build, and its result. */
export interface EarlierResult {
  /** The step as it was shown then. */
  readonly name: string
  /** Absent for a step that failed, or was stopped, and left no result. */
  readonly key?: string
  /** When it was made, RFC 3339; absent for one that the store does not have any more. */
  readonly time?: string
}

/** One thing in which a step differs from what it was. */
export interface Difference {
  /** `command`, `argument`, `environment`, `base`, `below`, `files`, … */
  readonly what: string
  /** Of the variable; the target of the mount. */
  readonly name?: string
  readonly change: 'added' | 'removed' | 'changed'
  readonly from?: string
  readonly to?: string
  /** The values are not said: they look like secrets. */
  readonly hidden?: true
  /** The same as what a step below it has: one cause, not two. */
  readonly repeated?: true
  /** The step that it comes from. */
  readonly step?: StepPlace & { readonly ran: boolean }
  /** Of files: the lowest step below that one which has a cause of its own. */
  readonly firstCause?: StepPlace
  readonly files?: FileChanges | UnknownChanges
}

/** Files that differ. */
export interface FileChanges {
  readonly count: number
  /** The first two hundred, by path. */
  readonly listed: readonly FileChange[]
}

/** Files differ, and it cannot be said which. */
export interface UnknownChanges {
  readonly unknown: string
}

/** A file that differs. */
export interface FileChange {
  /** In the context, where that is what was copied as a whole; else in the image, and absolute. */
  readonly path: string
  readonly change: 'added' | 'removed' | 'renamed' | 'changed'
  /** What a renamed file was called. */
  readonly from?: string
  readonly details: readonly FileDetail[]
}

/** What of a file differs. */
export interface FileDetail {
  readonly what: 'content' | 'mode' | 'owner' | 'target' | 'type' | 'device' | 'capability'
  readonly from?: string
  readonly to?: string
}
