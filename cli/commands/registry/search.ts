import { HELP, REGISTRY_FLAGS, TABLE_FORMAT } from '../../arguments/common-flags.ts'
import type { Command } from '../command.ts'

/** `tsbuild search` */
export const SEARCH: Command = {
  name: 'search',
  summary: 'Search a registry for repositories',
  usage: 'tsbuild search [flags] [REGISTRY/]TERM',
  flags: [
    {
      name: 'filter',
      metavar: 'FILTER',
      repeat: true,
      help: 'Only some: is-official=true, stars=3 (so many at least)',
      group: 'Which',
    },
    { name: 'limit', metavar: 'N', help: 'At most N, 1 to 100 (default: 25)', group: 'Which' },
    TABLE_FORMAT,
    { name: 'no-trunc', help: 'Do not shorten descriptions', group: 'Screen' },
    ...REGISTRY_FLAGS,
    HELP,
  ],
  examples: [
    ['tsbuild search redis', 'on Docker Hub'],
    ['tsbuild search registry.example:5000/team', 'names in the catalog of another registry'],
  ],
  run: async (args, shell) => {
    const { runSearch } = await import('../../transfer/run-search.ts')
    return await runSearch(args, shell)
  },
}
