import { lacksRights } from '#builder/linux'
import { typedFailure } from '#core'
import { parseFlags } from './arguments/flags.ts'
import { chooseCommand, chooseSubcommand } from './choose/choose-command.ts'
import { COMMANDS } from './choose/table.ts'
import { type Command, loadCommand } from './commands/command.ts'
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
  const chosen = chooseCommand(argv[0] === '--version' ? ['version'] : argv)
  const command = await loadCommand(chosen.command)
  if (command.subcommands === undefined)
    return await runLoaded(command, chosen.rest, { argv, shell })
  const sub = chooseSubcommand(command, chosen.rest)
  if (sub === undefined) return await runLoaded(command, chosen.rest, { argv, shell })
  const loaded = await loadCommand(sub.command)
  const named = { ...loaded, name: `${command.name} ${loaded.name}` }
  return await runLoaded(named, sub.rest, { argv, shell })
}

/** @param process the whole command line, and what the command has of its process */
async function runLoaded(
  command: Command,
  rest: readonly string[],
  { argv, shell }: { readonly argv: readonly string[]; readonly shell: Shell },
): Promise<number> {
  const { flags, endsAtFirst } = command
  const args = parseFlags(rest, flags, { command: `tsbuild ${command.name}`, endsAtFirst })
  if (args.has('help')) {
    const { commandHelp } = await import('./commands/help-text.ts')
    await print(shell, commandHelp(command))
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

/** Sockets that a service manager has made for this process. Spec: sd_listen_fds(3) */
function handedSockets({ LISTEN_FDS = '0' }: Shell['env']): readonly string[] {
  return Array.from({ length: Number(LISTEN_FDS) || 0 }, (_, index) => `/fd/${3 + index}`)
}

/** Starts this very command again, as the root of a user namespace; it returns in the new process. */
async function becomeRootOfNamespace(argv: readonly string[], { env }: Shell): Promise<void> {
  const { passOnNamedDescriptors } = await import('#builder/linux')
  const { reexecInUserNamespace } = await import('#builder/namespaces')
  const { resolveRoot } = await import('#cache')
  passOnNamedDescriptors([...argv, ...handedSockets(env)])
  // Inside, every user looks like root: the owner of the store has to be settled here.
  reexecInUserNamespace({ env: { ...env, TSBUILD_ROOT: resolveRoot(env) } })
}
