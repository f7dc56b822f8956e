import { RUN_FLAGS } from '../../build/container/run-flags.ts'
import type { Command } from '../command.ts'

/** `tsbuild run` */
export const RUN: Command = {
  name: 'run',
  summary: 'Run a program in a container of an image',
  usage: 'tsbuild run [flags] IMAGE [COMMAND] [ARG…]',
  endsAtFirst: true,
  flags: RUN_FLAGS,
  examples: [
    ['tsbuild run hello', 'what the image is made for'],
    ['tsbuild run -it debian:12', 'a shell'],
    ['tsbuild run -v ./src:/src -w /src node:24 npm test', 'a command on files of this machine'],
    ['echo hello | tsbuild run -i alpine tr a-z A-Z', 'in a pipe'],
  ],
  notes: [
    'The image is taken from the local store, or pulled. What the program writes to its files is dropped at the end; what it writes to a -v folder stays.',
    'The exit code is that of the program; 127 when there is no such program, 126 when it cannot be executed, 125 when it could not be run for another reason.',
  ],
  needsNamespace: (args) => args.text('isolation') !== 'in-place',
  run: async (args, shell) => {
    const { runContainerOf } = await import('../../build/container/run-container.ts')
    return await runContainerOf(args, shell)
  },
}
