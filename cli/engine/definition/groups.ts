import { usageError } from '#core'
import { ENGINE_FLAGS } from '../../arguments/common-flags.ts'
import type { EngineCommand } from './command.ts'

/** Commands with a common first word. */
export function groupOf(
  name: string,
  summary: string,
  subcommands: readonly EngineCommand[],
): EngineCommand {
  return {
    name,
    summary,
    usage: `tsbuild ${name} COMMAND [flags]`,
    flags: ENGINE_FLAGS,
    examples: [],
    notes: [`tsbuild help ${name} COMMAND tells more about one of them.`],
    subcommands,
    run: async () => {
      throw usageError(`tsbuild ${name} needs a command`, `tsbuild ${name} --help lists them`)
    },
  }
}
