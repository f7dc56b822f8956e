import { HELP } from '../../arguments/common-flags.ts'
import type { Command } from '../command.ts'

/** `tsbuild parse` */
export const PARSE: Command = {
  name: 'parse',
  summary: 'Show the instructions of Dockerfiles and their arguments, as JSON',
  usage: 'tsbuild parse [flags] [FILE]',
  flags: [
    {
      name: 'files-from',
      metavar: 'LIST',
      values: 'paths',
      help: 'Parse the files named in LIST, one a line; - reads it from standard input',
      group: 'What to parse',
    },
    {
      name: 'format',
      metavar: 'FORMAT',
      values: ['json'],
      help: 'Form of the output: json',
      group: 'Screen',
    },
    HELP,
  ],
  examples: [
    ['tsbuild parse | jq .stages', 'the stages of ./Dockerfile'],
    ["find . -name '*Dockerfile' | tsbuild parse --files-from -", 'a JSON document a line'],
  ],
  notes: [
    'FILE is Dockerfile unless given; - is standard input. Nothing is expanded, quotes are kept. A file that is no Dockerfile gives {"error": {"message", "line"}} and exit code 1.',
  ],
  run: async (args, shell) => {
    const { runParse } = await import('../../dockerfile/run-parse.ts')
    return await runParse(args, shell)
  },
}
