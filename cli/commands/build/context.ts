import { HELP, ROOT_FLAG, TEXT_FORMAT } from '../../arguments/common-flags.ts'
import type { Command } from '../command.ts'

/** `tsbuild context` */
export const CONTEXT: Command = {
  name: 'context',
  summary: 'List what a build can read of its context, and which rule decided',
  usage: 'tsbuild context [flags] [CONTEXT]',
  flags: [
    {
      name: 'file',
      short: 'f',
      metavar: 'FILE',
      values: 'paths',
      help: 'The Dockerfile, whose FILE.dockerignore wins over .dockerignore; - for none',
      group: 'What to list',
    },
    {
      name: 'explain',
      metavar: 'PATH',
      repeat: true,
      help: 'Tell of PATH, taken from the context, whether it is ignored, and by which lines',
      group: 'What to list',
    },
    TEXT_FORMAT,
    { ...ROOT_FLAG, help: `${ROOT_FLAG.help}, which is not part of a context` },
    HELP,
  ],
  examples: [
    ['tsbuild context', 'files of the folder . with their sizes'],
    ['tsbuild context --explain node_modules/x app', 'why node_modules/x of app is left out'],
    ['tsbuild context --format json | jq .total', 'how many files and bytes there are'],
  ],
  notes: [
    'A path counts as ignored when a pattern matches it or one of its parents; the last pattern that matches decides.',
    'The Dockerfile and the ignore file are read for the build even where they are ignored: then they cannot be copied. No other file is read here.',
  ],
  run: async (args, shell) => {
    const { runContext } = await import('../../dockerfile/run-context.ts')
    return await runContext(args, shell)
  },
}
