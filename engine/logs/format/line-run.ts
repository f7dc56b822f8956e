import type { LogStream } from './log-line.ts'

/** Output that is written with one time. */
export interface LineRun {
  readonly stream: LogStream
  /** Nanoseconds since the epoch. */
  readonly time: bigint
  /** Whole lines with their newlines, or a piece of a line without one. Not kept by whom it is handed to. */
  readonly bytes: Buffer
}
