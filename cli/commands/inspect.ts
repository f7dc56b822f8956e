import { HELP, ROOT_FLAG } from '../arguments/common-flags.ts'
import type { Command } from './command.ts'

/** `tsbuild inspect` */
export const INSPECT: Command = {
  name: 'inspect',
  summary: 'Show names, digests, config, layers and history of local images, as JSON',
  usage: 'tsbuild inspect [flags] IMAGE…',
  flags: [ROOT_FLAG, HELP],
  examples: [['tsbuild inspect hello', 'everything about hello:latest']],
  run: async (args, shell) => {
    const { runInspect } = await import('../images/run-inspect.ts')
    return await runInspect(args, shell)
  },
}
