import { SENDING_FLAGS } from '../../arguments/common-flags.ts'
import type { Command } from '../command.ts'

/** `tsbuild index` */
export const INDEX: Command = {
  name: 'index',
  summary: 'Make an index of images in registries: index create -t NAME SOURCE…',
  usage: 'tsbuild index create [flags] SOURCE…',
  flags: [
    {
      name: 'tag',
      short: 't',
      metavar: 'NAME[:TAG]',
      repeat: true,
      help: 'The name of the index; missing parts are copied to its repository',
      group: 'Index',
    },
    { name: 'append', help: 'Add to the index that the name has', group: 'Index' },
    {
      name: 'platform',
      metavar: 'OS/ARCH',
      repeat: true,
      help: 'Only images for these platforms (default: all)',
      group: 'Index',
    },
    {
      name: 'annotation',
      metavar: 'TYPE:KEY=VALUE',
      repeat: true,
      help: 'Annotate the index (index:) or each of its entries (manifest-descriptor:)',
      group: 'Index',
    },
    { name: 'dry-run', help: 'Print the index and write nothing', group: 'Index' },
    ...SENDING_FLAGS,
  ],
  examples: [
    ['tsbuild index create -t me/app:1 me/app:amd64 me/app:arm64', 'one name for two platforms'],
    ['tsbuild index create --append -t me/app:1 me/app:s390x', 'a further platform'],
  ],
  notes: ['A source that is an index gives all that it lists; alone, it is copied as it is.'],
  run: async (args, shell) => {
    const { runIndex } = await import('../../transfer/run-index.ts')
    return await runIndex(args, shell)
  },
}
