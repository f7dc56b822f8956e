import { INPUT } from '../../arguments/build-flags.ts'
import { HELP } from '../../arguments/common-flags.ts'
import type { Command } from '../command.ts'

/** `tsbuild graph` */
export const GRAPH: Command = {
  name: 'graph',
  summary: 'Show the stages of a Dockerfile and what they use of each other',
  usage: 'tsbuild graph [flags] [CONTEXT]',
  flags: [
    {
      name: 'format',
      metavar: 'FORMAT',
      values: ['text', 'json', 'dot', 'svg', 'mermaid'],
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
  run: async (args, shell) => {
    const { runGraph } = await import('../../dockerfile/run-graph.ts')
    return await runGraph(args, shell)
  },
}
