import { HELP, REGISTRY_FLAGS, ROOT_FLAG, TABLE_FORMAT } from '../../arguments/common-flags.ts'
import { PLATFORM, REMOTE } from '../../arguments/image-flags.ts'
import type { Command } from '../command.ts'

/** `tsbuild history` */
export const HISTORY: Command = {
  name: 'history',
  summary: 'Show the steps that an image was made with, of the store or of a registry',
  usage: 'tsbuild history [flags] IMAGE',
  flags: [
    REMOTE,
    { ...PLATFORM, help: 'With --remote: the image for this platform (default: this machine)' },
    TABLE_FORMAT,
    {
      name: 'human',
      short: 'H',
      help: 'Sizes and ages for people (default: true)',
      group: 'Screen',
    },
    { name: 'no-trunc', help: 'Do not shorten anything', group: 'Screen' },
    { name: 'quiet', short: 'q', help: 'Print image ids only', group: 'Screen' },
    ...REGISTRY_FLAGS,
    ROOT_FLAG,
    HELP,
  ],
  examples: [
    ['tsbuild history app:1', 'the newest step first'],
    ['tsbuild history --remote alpine', 'of an image in a registry; nothing is pulled'],
  ],
  notes: [
    'Sizes are those of layers as they are kept: plain in the store, mostly packed in registries.',
  ],
  run: async (args, shell) => {
    const { runHistory } = await import('../../images/run-history.ts')
    return await runHistory(args, shell)
  },
}
