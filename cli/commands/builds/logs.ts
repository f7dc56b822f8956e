import { ENGINE_FLAGS } from '../../arguments/common-flags.ts'
import type { Command, CommandParts } from '../command.ts'

/** `tsbuild logs` */
export const LOGS: Command = {
  name: 'logs',
  summary: 'Print what a container, or steps of a build, have printed',
  usage: 'tsbuild logs [flags] [CONTAINER | BUILD [STEP]]',
  flags: ENGINE_FLAGS,
  examples: [],
  load: loadLogs,
  run: async (args, shell, commands) => await (await loadLogs()).run(args, shell, commands),
}

async function loadLogs(): Promise<CommandParts> {
  const { LOGS: loaded } = await import('../../engine/both/logs.ts')
  return loaded
}
