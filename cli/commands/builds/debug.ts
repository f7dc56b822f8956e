import { SECRETS } from '../../arguments/build-flags.ts'
import { HELP, ROOT_FLAG } from '../../arguments/common-flags.ts'
import { ISOLATION } from '../../arguments/step-flags.ts'
import type { Command } from '../command.ts'

/** `tsbuild debug` */
export const DEBUG: Command = {
  name: 'debug',
  summary: 'Open a shell in the sandbox of a step, where it failed or before it ran',
  usage: 'tsbuild debug [flags] [BUILD[/STEP]] [-- COMMAND…]',
  flags: [
    {
      name: 'before',
      help: 'Show the files as they were before the step, not as it has left them',
      group: 'What is shown',
    },
    {
      name: 'env',
      short: 'e',
      metavar: 'NAME=VALUE',
      repeat: true,
      help: 'Set a variable, besides those of the step',
      group: 'How it is run',
    },
    ISOLATION,
    ...SECRETS,
    ROOT_FLAG,
    HELP,
  ],
  examples: [
    ['tsbuild debug', 'a shell where the latest build failed'],
    ['tsbuild debug 8hagu837/v2', 'a shell in a step, as the report of its failure names it'],
    ['tsbuild debug latest/RUN make -- cat config.log', 'one command'],
    ['tsbuild debug --secret id=token', 'with a secret of the step, which is not kept'],
  ],
  notes: [
    'BUILD and STEP are as for tsbuild logs; without STEP it is the one that failed. A step can be looked into in a build that has executed it.',
    'The shell has the mounts, environment, user, working directory and limits of the step. What it changes is dropped.',
  ],
  needsNamespace: (args) => args.text('isolation') !== 'in-place',
  run: async (args, shell) => {
    const { runDebug } = await import('../../build/past/run-debug.ts')
    return await runDebug(args, shell)
  },
}
