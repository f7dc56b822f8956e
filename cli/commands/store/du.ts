import { HELP, ROOT_FLAG, TABLE_FORMAT } from '../../arguments/common-flags.ts'
import { FILTER, FILTER_TABLE, VERBOSE } from '../../arguments/space-flags.ts'
import type { Command } from '../command.ts'

/** `tsbuild du` */
export const DU: Command = {
  name: 'du',
  summary: 'List what the store takes on the disk, and why it is kept',
  usage: 'tsbuild du [flags]',
  flags: [
    FILTER,
    {
      name: 'by',
      metavar: 'WHAT',
      values: ['item', 'step', 'image'],
      help: 'Add up by step or by image (default: item)',
      group: 'What is meant',
    },
    VERBOSE,
    TABLE_FORMAT,
    ROOT_FLAG,
    HELP,
  ],
  examples: [
    ['tsbuild du --by step', 'which steps take most'],
    ['tsbuild du --filter type=exec.cachemount', 'cache mounts'],
  ],
  tables: [FILTER_TABLE],
  notes: [
    'Sizes are what is taken on the disk; of what several items have in common each has a part. An id with * is changed in its place.',
  ],
  needsNamespace: () => true,
  run: async (args, shell) => {
    const { runUsage } = await import('../../store/run-usage.ts')
    return await runUsage(args, shell)
  },
}
