import { suggestion } from '#core'
import { HELP } from '../arguments/common-flags.ts'
import { type Arguments, expectArguments, usageError } from '../arguments/flags.ts'
import { print, type Shell } from '../terminal/shell.ts'
import type { Command } from './command.ts'

/** `tsbuild help` */
export const HELP_COMMAND: Command = {
  name: 'help',
  summary: 'Show help on a command',
  usage: 'tsbuild help [COMMAND]',
  flags: [HELP],
  examples: [],
  run: runHelp,
}

async function runHelp(
  args: Arguments,
  shell: Shell,
  commands: readonly Command[],
): Promise<number> {
  const [name] = expectArguments(args, { least: 0, most: 1, usage: HELP_COMMAND.usage })
  const { commandHelp, programHelp } = await import('./help-text.ts')
  if (name === undefined) {
    await print(shell, programHelp(commands))
    return 0
  }
  const command = commands.find((candidate) => candidate.name === name)
  if (command !== undefined) {
    const flags = (await command.loadFlags?.()) ?? command.flags
    await print(shell, commandHelp({ ...command, flags }))
    return 0
  }
  const similar = suggestion(
    name,
    commands.map((candidate) => candidate.name),
  )
  const hint = similar === undefined ? 'tsbuild help lists them' : `did you mean ${similar}?`
  throw usageError(`unknown command "${name}"`, hint)
}
