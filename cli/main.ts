import { lacksRights } from '#builder/linux'
import { typedFailure } from '#core'
import { parseFlags } from './arguments/flags.ts'
import { chooseCommand } from './commands/choose-command.ts'
import { COMMANDS } from './commands/table.ts'
import { type Program, runProcess, runReporting } from './terminal/process.ts'
import { print, type Shell } from './terminal/shell.ts'

/** The program as a process: runs the command in `argv` and exits with its code. */
export async function main(argv: readonly string[]): Promise<void> {
  await runProcess(programOf(argv))
}

/** Runs the command in `argv`; an error is reported on standard error. Returns the exit code. */
export async function runProgram(argv: readonly string[], shell: Shell): Promise<number> {
  return await runReporting(programOf(argv), shell)
}

function programOf(argv: readonly string[]): Program {
  return {
    run: async (shell) => await runCommand(argv, shell),
    report: async (error, shell) => {
      const { reportError } = await import('./reports/error-report.ts')
      reportError(error, shell)
    },
  }
}

async function runCommand(argv: readonly string[], shell: Shell): Promise<number> {
  if (argv.length === 0 || argv[0] === '--help' || argv[0] === '-h') {
    const { programHelp } = await import('./commands/help-text.ts')
    await print(shell, programHelp(COMMANDS))
    return 0
  }
  const { command, rest } = chooseCommand(argv[0] === '--version' ? ['version'] : argv)
  const flags = (await command.loadFlags?.()) ?? command.flags
  const { endsAtFirst } = command
  const args = parseFlags(rest, flags, { command: `tsbuild ${command.name}`, endsAtFirst })
  if (args.has('help')) {
    const { commandHelp } = await import('./commands/help-text.ts')
    await print(shell, commandHelp({ ...command, flags }))
    return 0
  }
  if (command.needsNamespace?.(args) === true && lacksRights()) {
    await becomeRootOfNamespace(argv, shell)
  }
  try {
    return await command.run(args, shell, COMMANDS)
  } catch (cause) {
    throw typedFailure(`tsbuild ${command.name}`, cause)
  }
}

/** Starts this very command again, as the root of a user namespace; it returns in the new process. */
async function becomeRootOfNamespace(argv: readonly string[], { env }: Shell): Promise<void> {
  const { passOnNamedDescriptors } = await import('#builder/linux')
  const { reexecInUserNamespace } = await import('#builder/namespaces')
  const { resolveRoot } = await import('#cache')
  passOnNamedDescriptors(argv)
  // Inside, every user looks like root: the owner of the store has to be settled here.
  reexecInUserNamespace({ env: { ...env, TSBUILD_ROOT: resolveRoot(env) } })
}
