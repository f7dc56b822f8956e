import { HELP, ROOT_FLAG } from '../../arguments/common-flags.ts'
import type { Command } from '../command.ts'

/** `tsbuild rmi` */
export const RMI: Command = {
  name: 'rmi',
  summary: 'Remove names of local images',
  usage: 'tsbuild rmi [flags] IMAGE…',
  flags: [
    {
      name: 'prune',
      help: 'Also remove what only these images had, with the results of their steps',
      group: 'What is meant',
    },
    ROOT_FLAG,
    HELP,
  ],
  examples: [
    ['tsbuild rmi hello', 'remove the name hello:latest'],
    ['tsbuild rmi --prune hello', 'and free what nothing else needs'],
    ['tsbuild rmi 0123456789ab', 'remove every name of the image with this id'],
  ],
  notes: ['Without --prune layers stay in the store: later builds may use them.'],
  needsNamespace: (args) => args.has('prune'),
  run: async (args, shell) => {
    const { runRemove } = await import('../../images/run-names.ts')
    return await runRemove(args, shell)
  },
}
