import type { BuildEvent } from '#core'
import type { LogLimits } from './step-output.ts'

/** Shows a build while it runs. */
export interface Progress {
  handle(event: BuildEvent): void
  /** Called a few times a second. */
  tick(): void
  /** Shows the last state and gives the terminal back. Idempotent. */
  close(): void
}

/** What a view writes to and takes its time from. */
export interface ProgressOptions {
  readonly write: (text: string) => void
  /** Milliseconds on a monotonic clock. */
  readonly now: () => number
  readonly limits: LogLimits
}

/** What `--progress` can ask for; `none` is another word for `quiet`. */
export type ProgressMode = 'auto' | 'plain' | 'tty' | 'rawjson' | 'quiet'

/** Every mode, in the order of messages. */
export const PROGRESS_MODES: readonly ProgressMode[] = ['auto', 'plain', 'tty', 'rawjson', 'quiet']

/** Milliseconds between two calls of `tick`. */
export const TICK = 100

/** Whether what is printed beside the progress is for people: a summary, warnings, failed steps. */
export function isForPeople(mode: ProgressMode): boolean {
  return mode !== 'rawjson' && mode !== 'quiet'
}
