/**
 * `tsbuild logs` is about two things: docker's users mean a container, and a build has printed something, too. One
 * word is a container when there is one of that name; else it is a build.
 */
import { lacksRights } from '#builder/linux'
import { TsbuildError } from '#core'
import { EngineError } from '#engine/client'
import { ENGINE_FLAGS } from '../../arguments/common-flags.ts'
import { type Arguments, expectArguments } from '../../arguments/flags.ts'
import { note, type Shell } from '../../terminal/shell.ts'
import { type Engine, openEngine, runningEngine } from '../connect/engine.ts'
import { daemonMessage } from '../connect/with-engine.ts'
import { LOG_FLAGS, printContainerLogs } from '../containers/logs.ts'
import { type EngineCommand, flagsOf } from '../definition/command.ts'

/** Given to the same command in its namespace, which need not ask again. */
const NO_CONTAINER = 'no-container'

/** `tsbuild logs` */
export const LOGS: EngineCommand = {
  name: 'logs',
  summary: 'Print what a container, or steps of a build, have printed',
  usage: 'tsbuild logs [flags] [CONTAINER | BUILD [STEP]]',
  flags: [
    ...LOG_FLAGS,
    ...flagsOf('Output of a build', {
      failed: 'Only of steps that failed; without BUILD, of the latest build with one',
      build: 'A build is meant, whatever containers are called',
    }),
    ...flagsOf(
      'Output of a build',
      { [NO_CONTAINER]: 'There is no such container' },
      { isHidden: true },
    ),
    ...ENGINE_FLAGS,
  ],
  examples: [
    ['tsbuild logs -f web', 'what a container has printed, and goes on to print'],
    ['tsbuild logs', 'all steps of the latest build'],
    ['tsbuild logs --failed', 'the steps that failed'],
    ['tsbuild logs 8hagu837 v2', 'one step of a build, as the report of its failure names it'],
    ['tsbuild logs latest RUN make', 'one step of the latest build'],
  ],
  notes: [
    'BUILD is an id that tsbuild builds lists, or how it begins, or latest. STEP is an id, or all else that tsbuild cache why takes.',
    'Of a step that prints more than 16 MiB the first 8 MiB are kept and the last 4 MiB or more.',
  ],
  needsNamespace: meansBuild,
  run: async (args, shell) => {
    const isChecked = args.has(NO_CONTAINER)
    if (meansBuild(args) && !isChecked) return await printBuildLogs(args, shell)
    const [name = ''] = expectArguments(args, { least: 1, most: 1, usage: LOGS.usage })
    if (isChecked) return await ofBuild(noContainer(name), args, shell)
    // An id of a build is not worth starting a daemon.
    using engine = isLikeBuild(name)
      ? await runningEngine(args, shell)
      : await openEngine(args, shell)
    const missing =
      engine === undefined ? noContainer(name) : await ofContainer(name, engine, { args, shell })
    return typeof missing === 'number' ? missing : await ofBuild(missing, args, shell)
  },
}

/** Whether a command line can only be about a build. */
function meansBuild(args: Arguments): boolean {
  const [first, second] = args.positionals
  if (['failed', 'build', NO_CONTAINER].some((flag) => args.has(flag))) return true
  return first === undefined || second !== undefined || first === 'latest'
}

/** Ids have 25 characters, and reports show the first eight. */
function isLikeBuild(name: string): boolean {
  return /^(?:[a-z\d]{8}|[a-z\d]{25})$/.test(name) && /\d/.test(name)
}

function noContainer(name: string): EngineError {
  return new EngineError({ status: 404, message: `No such container: ${name}` })
}

/** @returns the exit code, or why there is nothing of that name */
async function ofContainer(
  name: string,
  engine: Engine,
  context: { readonly args: Arguments; readonly shell: Shell },
): Promise<number | EngineError> {
  try {
    return await printContainerLogs(name, engine, context)
  } catch (cause) {
    if (!(cause instanceof EngineError)) throw cause
    if (cause.status === 404) return cause
    note(context.shell, daemonMessage(cause))
    return 1
  }
}

/** What is left is a build, or nothing: then the missing container is what is reported. */
async function ofBuild(missing: EngineError, args: Arguments, shell: Shell): Promise<number> {
  if (lacksRights() && !args.has(NO_CONTAINER)) await goOnInNamespace(shell)
  try {
    return await printBuildLogs(args, shell)
  } catch (cause) {
    const isMissing = cause instanceof TsbuildError && /^(?:NOT_FOUND|USAGE)$/.test(cause.code)
    if (!isMissing) throw cause
    note(shell, daemonMessage(missing))
    return 1
  }
}

/** Where the files of the store can be read; this returns where there is no namespace. */
async function goOnInNamespace({ env }: Shell): Promise<void> {
  const { reexecInUserNamespace } = await import('#builder/namespaces')
  const { resolveRoot } = await import('#cache')
  process.argv.push(`--${NO_CONTAINER}`)
  reexecInUserNamespace({ env: { ...env, TSBUILD_ROOT: resolveRoot(env) } })
}

async function printBuildLogs(args: Arguments, shell: Shell): Promise<number> {
  const { runLogs } = await import('../../build/past/run-logs.ts')
  return await runLogs(args, shell)
}
