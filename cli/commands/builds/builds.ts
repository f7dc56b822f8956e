import { HELP, ROOT_FLAG, TABLE_FORMAT } from '../../arguments/common-flags.ts'
import type { Command } from '../command.ts'

/** `tsbuild builds` */
export const BUILDS: Command = {
  name: 'builds',
  summary: 'List the latest builds of the store',
  usage: 'tsbuild builds [flags]',
  flags: [
    {
      name: 'filter',
      metavar: 'NAME=VALUE',
      repeat: true,
      help: 'Only builds whose result, target, tag, context or dockerfile is VALUE',
      group: 'Which builds',
    },
    TABLE_FORMAT,
    ROOT_FLAG,
    HELP,
  ],
  examples: [
    ['tsbuild builds', 'the builds that executed a step, the latest first'],
    ['tsbuild builds --filter result=failed', 'those that failed'],
  ],
  notes: [
    'The result is done, failed, cancelled, running, or lost for a build that was killed. Builds in which all was cached are not listed.',
  ],
  needsNamespace: () => true,
  run: async (args, shell) => {
    const { runBuilds } = await import('../../build/past/run-builds.ts')
    return await runBuilds(args, shell)
  },
}
