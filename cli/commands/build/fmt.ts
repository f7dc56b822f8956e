import { HELP } from '../../arguments/common-flags.ts'
import type { Command } from '../command.ts'

/** `tsbuild fmt` */
export const FMT: Command = {
  name: 'fmt',
  summary: 'Format Dockerfiles: same meaning, one way of writing it',
  usage: 'tsbuild fmt [flags] [FILE…]',
  flags: [
    {
      name: 'file',
      short: 'f',
      metavar: 'FILE',
      values: 'paths',
      repeat: true,
      help: 'A Dockerfile (default: Dockerfile); - reads it from standard input',
      group: 'What to format',
    },
    {
      name: 'check',
      help: 'List the files that formatting would change, and exit with 1 if there are any',
      group: 'Result',
    },
    {
      name: 'write',
      short: 'w',
      help: 'Change the files in place, and list those that were changed',
      group: 'Result',
    },
    HELP,
  ],
  examples: [
    ['tsbuild fmt', 'print ./Dockerfile as it should be'],
    ['tsbuild fmt -w Dockerfile docker/*.Dockerfile', 'format files in place'],
    ['tsbuild fmt --check', 'fail in CI when the Dockerfile is not formatted'],
  ],
  notes: [
    'Keywords get upper case, words stand one blank apart, blank lines come one at a time, lines end with a line feed. Scripts, heredocs, comments and line breaks are kept as they are.',
  ],
  run: async (args, shell) => {
    const { runFormat } = await import('../../dockerfile/run-format.ts')
    return await runFormat(args, shell)
  },
}
