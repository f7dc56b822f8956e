import { suggestion, usageError } from '#core'
import { HELP } from '../arguments/common-flags.ts'
import { type Arguments, expectArguments } from '../arguments/flags.ts'
import { print, type Shell } from '../terminal/shell.ts'
import { type Command, loadCommand } from './command.ts'

/** `tsbuild help` */
export const HELP_COMMAND: Command = {
  name: 'help',
  summary: 'Show help on a command',
  usage: 'tsbuild help [COMMAND [COMMAND]]',
  flags: [HELP],
  examples: [],
  run: runHelp,
}

async function runHelp(
  args: Arguments,
  shell: Shell,
  commands: readonly Command[],
): Promise<number> {
  const names = expectArguments(args, { least: 0, most: 2, usage: HELP_COMMAND.usage })
  const { commandHelp, programHelp } = await import('./help-text.ts')
  const [first, second] = names
  if (first === undefined) {
    await print(shell, programHelp(commands))
    return 0
  }
  const command = await findCommand(first, commands)
  const { subcommands = [] } = command
  const shown = second === undefined ? command : await findCommand(second, subcommands)
  await print(shell, commandHelp(shown))
  return 0
}

async function findCommand(name: string, commands: readonly Command[]): Promise<Command> {
  const command = commands.find((one) => one.name === name || one.aliases?.includes(name) === true)
  if (command !== undefined) return await loadCommand(command)
  const similar = suggestion(
    name,
    commands.map((candidate) => candidate.name),
  )
  const hint = similar === undefined ? 'tsbuild help lists them' : `did you mean ${similar}?`
  throw usageError(`unknown command "${name}"`, hint)
}
