import type { Flag } from '../arguments/flags.ts'

export type CommandName =
  | 'build'
  | 'context'
  | 'fmt'
  | 'graph'
  | 'help'
  | 'images'
  | 'inspect'
  | 'login'
  | 'logout'
  | 'parse'
  | 'push'
  | 'rmi'
  | 'tag'
  | 'version'

/** A part of the help beside the flags. */
export interface HelpTable {
  readonly title: string
  readonly rows: readonly (readonly [string, string])[]
}

/** One command of the program, as parsing and `--help` know it; `main.ts` runs it. */
export interface Command {
  readonly name: CommandName
  readonly summary: string
  readonly usage: string
  readonly flags: readonly Flag[]
  /** Command lines with what they do. */
  readonly examples: readonly (readonly [string, string])[]
  /** More that `--help` should say: terms and what they mean. */
  readonly tables?: readonly HelpTable[]
  /** More that `--help` should say, a paragraph each. */
  readonly notes?: readonly string[]
  /** True when files of the store are read or written that only the user namespace can. */
  readonly namespace: boolean
}

const GENERAL = 'General'

export const HELP: Flag = { name: 'help', short: 'h', help: 'Show this help', group: GENERAL }

/** The flag that may stand in front of a command. */
export const ROOT_FLAG: Flag = {
  name: 'root',
  metavar: 'DIR',
  help: 'The store (default: $TSBUILD_ROOT, /var/lib/tsbuild, or $XDG_DATA_HOME/tsbuild)',
  group: GENERAL,
}

export const INSECURE: Flag = {
  name: 'insecure-registry',
  metavar: 'HOST',
  repeat: true,
  help: 'Speak plain HTTP, or HTTPS without checking the certificate, to HOST[:PORT]',
  group: 'Registry',
}

export const IGNORE_CHOWN_ERRORS: Flag = {
  name: 'ignore-chown-errors',
  help: 'Push, too, what steps with one user id only made of files of other owners',
  group: 'Registry',
}

export const PROGRESS: Flag = {
  name: 'progress',
  metavar: 'MODE',
  help: 'How to show progress: auto, plain, tty, quiet or none (default: auto)',
  group: 'Screen',
}

export const QUIET: Flag = {
  name: 'quiet',
  short: 'q',
  help: 'Print nothing but the image id',
  group: 'Screen',
}
