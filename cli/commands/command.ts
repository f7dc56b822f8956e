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

/** What of a command only those need who run it, or show its help. */
export interface CommandParts {
  readonly usage: string
  readonly flags: readonly Flag[]
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
  /** Of a group: its first argument names one of these, which is run in its place. */
  readonly subcommands?: readonly Command[]
  readonly run: Run
}

/** One command of the program: what parsing and `--help` know of it, and how it is run. */
export interface Command extends CommandParts {
  readonly name: string
  /** Other names, which the help does not list. */
  readonly aliases?: readonly string[]
  readonly summary: string
  /** What replaces the rest, where that is not needed for choosing this command. Its flags stand before it, too. */
  readonly load?: () => Promise<CommandParts>
}

/** A command with all of its parts. */
export async function loadCommand(command: Command): Promise<Command> {
  return command.load === undefined ? command : { ...command, ...(await command.load()) }
}
