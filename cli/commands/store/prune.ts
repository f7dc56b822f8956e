import { HELP, ROOT_FLAG, TABLE_FORMAT } from '../../arguments/common-flags.ts'
import { ALL, FILTER, FILTER_TABLE, LIMITS, VERBOSE } from '../../arguments/space-flags.ts'
import type { Command } from '../command.ts'

/** `tsbuild prune` */
export const PRUNE: Command = {
  name: 'prune',
  summary: 'Remove from the store what no image has and no build uses',
  usage: 'tsbuild prune [flags]',
  flags: [
    ALL,
    FILTER,
    ...LIMITS,
    { name: 'force', short: 'f', help: 'Do not ask', group: 'Screen' },
    VERBOSE,
    TABLE_FORMAT,
    ROOT_FLAG,
    HELP,
  ],
  examples: [
    ['tsbuild prune --filter until=7d', 'what was not used for a week'],
    ['tsbuild prune --max-used-space 20GB -f', 'what is worth least, without asking'],
    ['tsbuild prune --filter type=exec.cachemount --filter id=npm', 'one spoilt cache mount'],
  ],
  tables: [FILTER_TABLE],
  notes: [
    'Images with a name, and what a running build uses, always stay. Results of steps, cache mounts, downloads and digests of contexts go, unless a filter or a size says otherwise.',
  ],
  needsNamespace: () => true,
  run: async (args, shell) => {
    const { runPrune } = await import('../../store/run-prune.ts')
    return await runPrune(args, shell)
  },
}
