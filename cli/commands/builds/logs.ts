import { HELP, ROOT_FLAG } from '../../arguments/common-flags.ts'
import type { Command } from '../command.ts'

/** `tsbuild logs` */
export const LOGS: Command = {
  name: 'logs',
  summary: 'Print what steps of a build have printed',
  usage: 'tsbuild logs [flags] [BUILD [STEP]]',
  flags: [
    {
      name: 'failed',
      help: 'Only of steps that failed; without BUILD, of the latest build with one',
      group: 'Which steps',
    },
    ROOT_FLAG,
    HELP,
  ],
  examples: [
    ['tsbuild logs', 'all steps of the latest build'],
    ['tsbuild logs --failed', 'the steps that failed'],
    ['tsbuild logs 8hagu837 v2', 'one step of a build, as the report of its failure names it'],
    ['tsbuild logs latest RUN make', 'one step of the latest build'],
  ],
  notes: [
    'BUILD is an id that tsbuild builds lists, or how it begins, or latest. STEP is an id, or all else that tsbuild cache why takes.',
    'Of a step that prints more than 16 MiB the first 8 MiB are kept and the last 4 MiB or more.',
  ],
  needsNamespace: () => true,
  run: async (args, shell) => {
    const { runLogs } = await import('../../build/past/run-logs.ts')
    return await runLogs(args, shell)
  },
}
