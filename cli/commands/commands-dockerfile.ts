import { type Command, HELP, ROOT_FLAG } from './command.ts'
import { INPUT } from './commands-build.ts'

export const CONTEXT: Command = {
  name: 'context',
  summary: 'List what a build can read of its context, and which rule decided',
  usage: 'tsbuild context [flags] [CONTEXT]',
  flags: [
    {
      name: 'file',
      short: 'f',
      metavar: 'FILE',
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
    { name: 'format', metavar: 'FORMAT', help: 'text or json (default: text)', group: 'Screen' },
    { ...ROOT_FLAG, help: `${ROOT_FLAG.help}, which is no part of a context` },
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
  namespace: false,
}

export const FMT: Command = {
  name: 'fmt',
  summary: 'Format Dockerfiles: same meaning, one way of writing it',
  usage: 'tsbuild fmt [flags] [FILE…]',
  flags: [
    {
      name: 'file',
      short: 'f',
      metavar: 'FILE',
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
  namespace: false,
}

export const PARSE: Command = {
  name: 'parse',
  summary: 'Show the instructions of Dockerfiles and their arguments, as JSON',
  usage: 'tsbuild parse [flags] [FILE]',
  flags: [
    {
      name: 'files-from',
      metavar: 'LIST',
      help: 'Parse the files named in LIST, one a line; - reads it from standard input',
      group: 'What to parse',
    },
    { name: 'format', metavar: 'FORMAT', help: 'Form of the output: json', group: 'Screen' },
    HELP,
  ],
  examples: [
    ['tsbuild parse | jq .stages', 'the stages of ./Dockerfile'],
    ["find . -name '*Dockerfile' | tsbuild parse --files-from -", 'a JSON document a line'],
  ],
  notes: [
    'FILE is Dockerfile unless given; - is standard input. Nothing is expanded, quotes are kept. A file that is no Dockerfile gives {"error": {"message", "line"}} and exit code 1.',
  ],
  namespace: false,
}

export const GRAPH: Command = {
  name: 'graph',
  summary: 'Show the stages of a Dockerfile and what they use of each other',
  usage: 'tsbuild graph [flags] [CONTEXT]',
  flags: [
    {
      name: 'format',
      metavar: 'FORMAT',
      help: 'text, json, dot, svg or mermaid (default: text)',
      group: 'Screen',
    },
    ...INPUT.filter(({ name }) => name === 'file' || name === 'build-arg').map((flag) => ({
      ...flag,
      group: 'What to show',
    })),
    {
      name: 'target',
      metavar: 'STAGE',
      help: 'The stage that would be built (default: the last one)',
      group: 'What to show',
    },
    {
      name: 'platform',
      metavar: 'OS/ARCH',
      help: "The platform that would be built for (default: this machine's)",
      group: 'What to show',
    },
    HELP,
  ],
  examples: [
    ['tsbuild graph', 'the Dockerfile in this folder, as a list'],
    ['tsbuild graph --format svg --target test . > graph.svg', 'a picture for the browser'],
  ],
  notes: ['Nothing is built, and no registry is asked: only the Dockerfile is read.'],
  namespace: false,
}
