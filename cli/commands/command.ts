import type { Arguments, Flag } from '../arguments/flags.ts'
import type { Shell } from '../terminal/shell.ts'

/** A part of the help beside the flags. */
export interface HelpTable {
  readonly title: string
  readonly rows: readonly (readonly [string, string])[]
}

/**
 * Runs a command and returns the exit code. What a run needs beside its arguments is imported inside
 * of it: the commands that are not run must not load anything.
 * @param commands the table of all commands, for help and suggestions
 */
export type Run = (args: Arguments, shell: Shell, commands: readonly Command[]) => Promise<number>

/** One command of the program: what parsing and `--help` know of it, and how it is run. */
export interface Command {
  readonly name: string
  readonly summary: string
  readonly usage: string
  readonly flags: readonly Flag[]
  /** The flags where they are another program's, which only a run of this command needs. */
  readonly loadFlags?: () => Promise<readonly Flag[]>
  /** What stands behind its first argument is another program's. Default: false. */
  readonly endsAtFirst?: boolean
  /** Command lines with what they do. */
  readonly examples: readonly (readonly [string, string])[]
  /** More that `--help` should say: terms and what they mean. */
  readonly tables?: readonly HelpTable[]
  /** More that `--help` should say, a paragraph each. */
  readonly notes?: readonly string[]
  /**
   * Whether files of the store are read or written that only the root of a user namespace can access.
   * Absent: never.
   */
  readonly needsNamespace?: (args: Arguments) => boolean
  readonly run: Run
}
