import { HELP, TABLE_FORMAT } from '../arguments/common-flags.ts'
import type { Command } from './command.ts'

/** `tsbuild config` */
export const CONFIG: Command = {
  name: 'config',
  summary: 'Show the settings of networks and of the store, and where they come from',
  usage: 'tsbuild config [flags]',
  flags: [TABLE_FORMAT, HELP],
  examples: [['tsbuild config --format json', 'one JSON document, for programs']],
  run: async (args, shell) => {
    const { runConfig } = await import('../settings/run-config.ts')
    return await runConfig(args, shell)
  },
}
