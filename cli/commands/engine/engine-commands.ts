import { ENGINE_FLAGS } from '../../arguments/common-flags.ts'
import type { Command, CommandParts } from '../command.ts'

/** Names and what they do, in the order of the help. */
const SUMMARIES: Readonly<Record<string, string>> = {
  run: 'Run a program in a new container of an image',
  create: 'Make a container of an image, which is not started yet',
  ps: 'List containers',
  start: 'Start containers that have ended, or were only created',
  stop: 'End containers: by their signal, and by force when they go on',
  restart: 'End containers and start them again',
  kill: 'Send a signal to containers',
  rm: 'Remove containers',
  exec: 'Run another program in a container that runs',
  attach: 'Join standard input, output and errors with a container that runs',
  cp: 'Copy files out of a container, or into one',
  commit: 'Make an image of what a container has changed',
  diff: 'List the files that a container has changed (C), added (A) or deleted (D)',
  export: 'Write the files of a container as a tar',
  top: 'List the processes of a container',
  stats: 'Show what containers use, again and again',
  port: 'List where the ports of a container are published',
  wait: 'Wait until containers have ended, and print their exit codes',
  pause: 'Let the processes of containers stand still',
  unpause: 'Let them go on',
  rename: 'Give a container another name',
  update: 'Change the limits and the restart policy of containers',
  import: 'Make an image of a tar of files',
  events: 'Print what happens to containers, images, networks and volumes',
  info: 'Show what a daemon says of itself',
  container: 'Everything about containers',
  volume: 'Make, list and remove volumes',
  network: 'Make, list and remove networks',
  system: 'What a daemon has, and removing what is not used',
}

/** Commands that are clients of a daemon. A build needs nothing of them: they are loaded when one is run. */
export const ENGINE_COMMANDS: readonly Command[] = Object.entries(SUMMARIES).map(
  ([name, summary]) => ({
    name,
    summary,
    usage: `tsbuild ${name} [flags]`,
    flags: ENGINE_FLAGS,
    examples: [],
    load: () => loadEngineCommand(name),
    run: async (args, shell, commands) =>
      await (await loadEngineCommand(name)).run(args, shell, commands),
  }),
)

async function loadEngineCommand(name: string): Promise<CommandParts> {
  const { ENGINE_COMMANDS: all } = await import('../../engine/commands.ts')
  const found = all.find((command) => command.name === name)
  if (found === undefined) throw new Error(`no command ${name}`)
  return found
}
