import type { Arguments, Flag } from '../../arguments/flags.ts'
import type { Shell } from '../../terminal/shell.ts'

/** A command for containers and what belongs to them: a client of a daemon. */
export interface EngineCommand {
  readonly name: string
  readonly aliases?: readonly string[]
  readonly summary: string
  readonly usage: string
  readonly flags: readonly Flag[]
  readonly endsAtFirst?: boolean
  readonly examples: readonly (readonly [string, string])[]
  readonly notes?: readonly string[]
  readonly needsNamespace?: (args: Arguments) => boolean
  /** Of a group. */
  readonly subcommands?: readonly EngineCommand[]
  readonly run: (args: Arguments, shell: Shell) => Promise<number>
}

/** What else a flag has. */
export type FlagExtra = Partial<Omit<Flag, 'name' | 'help' | 'group'>>

/** Flags of one heading: `{ 'name METAVAR': 'Help' }`, with a short name before it: `'n, name METAVAR'`. */
export function flagsOf(
  group: string,
  texts: Readonly<Record<string, string>>,
  extra: FlagExtra = {},
): readonly Flag[] {
  return Object.entries(texts).map(([syntax, help]) => {
    const [, short, name = '', metavar] = /^(?:(\w), )?([\w-]+)(?: (.*))?$/.exec(syntax) ?? []
    return {
      name,
      help,
      group,
      ...(short === undefined ? {} : { short }),
      ...(metavar === undefined ? {} : { metavar }),
      ...extra,
    }
  })
}
