import { HELP, ROOT_FLAG, TEXT_FORMAT } from '../../arguments/common-flags.ts'
import type { Command } from '../command.ts'

/** `tsbuild cache` */
export const CACHE: Command = {
  name: 'cache',
  summary: 'Say why steps of the last build ran: cache why [STEP]',
  usage: 'tsbuild cache why [flags] [STEP]',
  flags: [
    {
      name: 'context',
      metavar: 'CONTEXT',
      values: 'paths',
      help: 'The last build of this context (default: of the current folder, else of any)',
      group: 'Which build',
    },
    {
      name: 'file',
      short: 'f',
      metavar: 'FILE',
      values: 'paths',
      help: 'The last build with this Dockerfile',
      group: 'Which build',
    },
    TEXT_FORMAT,
    ROOT_FLAG,
    HELP,
  ],
  examples: [
    ['tsbuild cache why', 'why the steps of the last build that ran did so'],
    ['tsbuild cache why RUN npm ci', 'the same of one step, also if it did not run'],
    ['tsbuild cache why Dockerfile:7', 'the step in line 7'],
    ["tsbuild cache why '[build 3/5]'", 'the step as progress numbers it'],
    ['tsbuild cache why build:RUN make', 'the step of the stage build'],
  ],
  notes: [
    'The last build is the last one in which a step ran; --explain says the same at the end of a build.',
    'STEP may be a part of the instruction. Put -- in front of one with flags: cache why -- RUN --mount=type=cache',
  ],
  needsNamespace: () => true,
  run: async (args, shell) => {
    const { runWhy } = await import('../../explain/run-why.ts')
    return await runWhy(args, shell)
  },
}
