import type { LineRun } from './line-run.ts'
import type { LogLine } from './log-line.ts'

/** A line, or a piece of one, as a file has it. */
export type LogEntry = Omit<LogLine, 'isContinued'>

/** How a file has lines: an entry for each, which ends in a newline and has no other. */
export interface EntryFormat {
  encode(run: LineRun): Buffer
  /** `entry`: without its newline. `undefined` for one that was torn by a crash or a full disk. */
  decode(entry: Buffer): LogEntry | undefined
  /** Ends an entry of which the file may have a part only; if it is whole but for its newline, it may be lost. */
  readonly repair: Buffer
}
