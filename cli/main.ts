import { typedFailure } from '#core'
import { type Arguments, parseFlags } from './arguments/flags.ts'
import { chooseCommand } from './commands/choose-command.ts'
import type { CommandName } from './commands/command.ts'
import { type Program, runProcess, runReporting } from './terminal/process.ts'
import { print, type Shell } from './terminal/shell.ts'

type Run = (args: Arguments, shell: Shell) => Promise<number>

/** The code of each command, which is loaded when it is called. A run returns the exit code. */
const RUNS: Readonly<Record<CommandName, Run>> = {
  build: async (args, shell) => (await import('./build/run-build.ts')).runBuild(args, shell),
  context: async (args, shell) =>
    (await import('./dockerfile/run-context.ts')).runContext(args, shell),
  fmt: async (args, shell) => (await import('./dockerfile/run-format.ts')).runFormat(args, shell),
  graph: async (args, shell) => (await import('./dockerfile/run-graph.ts')).runGraph(args, shell),
  help: async (args, shell) => (await import('./commands/help.ts')).runHelp(args, shell),
  images: async (args, shell) => (await import('./images/run-images.ts')).runImages(args, shell),
  inspect: async (args, shell) => (await import('./images/run-inspect.ts')).runInspect(args, shell),
  login: async (args, shell) => (await import('./images/run-login.ts')).runLogin(args, shell),
  logout: async (args, shell) => (await import('./images/run-login.ts')).runLogout(args, shell),
  parse: async (args, shell) => (await import('./dockerfile/run-parse.ts')).runParse(args, shell),
  push: async (args, shell) => (await import('./images/run-push.ts')).runPush(args, shell),
  rmi: async (args, shell) => (await import('./images/run-names.ts')).runRemove(args, shell),
  tag: async (args, shell) => (await import('./images/run-names.ts')).runTag(args, shell),
  version: async (_args, shell) => (await import('./commands/version.ts')).runVersion(shell),
}

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
      await reportError(error, shell)
    },
  }
}

async function runCommand(argv: readonly string[], shell: Shell): Promise<number> {
  if (argv.length === 0 || argv[0] === '--help' || argv[0] === '-h') {
    const { programHelp } = await import('./commands/help.ts')
    await print(shell, programHelp())
    return 0
  }
  const { command, rest } = chooseCommand(argv[0] === '--version' ? ['version'] : argv)
  const args = parseFlags(rest, command.flags)
  if (args.has('help')) {
    const { commandHelp } = await import('./commands/help.ts')
    await print(shell, commandHelp(command))
    return 0
  }
  if (command.namespace && !isQuestion(args) && process.geteuid?.() !== 0) {
    await becomeRootOfNamespace(argv, shell)
  }
  try {
    return await RUNS[command.name](args, shell)
  } catch (cause) {
    throw typedFailure(`tsbuild ${command.name}`, cause)
  }
}

/** What only asks about a Dockerfile needs no rights, and may run where there are no namespaces. */
function isQuestion(args: Arguments): boolean {
  const call = args.text('call')
  return args.has('check') || (call !== undefined && !/^(build)?(,|$)/.test(call))
}

/** Starts this very command again, as the root of a user namespace; it returns in the new process. */
async function becomeRootOfNamespace(argv: readonly string[], { env }: Shell): Promise<void> {
  const { passOnNamedDescriptors } = await import('#builder/linux')
  const { reexecInUserNamespace } = await import('#builder/sandbox')
  const { resolveRoot } = await import('#cache')
  passOnNamedDescriptors(argv)
  // Inside, everybody looks like root: whose store it is has to be settled here.
  reexecInUserNamespace({ env: { ...env, TSBUILD_ROOT: resolveRoot(env) } })
}
