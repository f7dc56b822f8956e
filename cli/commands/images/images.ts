import { HELP, ROOT_FLAG, TABLE_FORMAT } from '../../arguments/common-flags.ts'
import type { Command } from '../command.ts'

/** `tsbuild images` */
export const IMAGES: Command = {
  name: 'images',
  summary: 'List the images in the local store',
  usage: 'tsbuild images [flags]',
  flags: [
    TABLE_FORMAT,
    { name: 'quiet', short: 'q', help: 'Print image ids only', group: 'Screen' },
    ROOT_FLAG,
    HELP,
  ],
  examples: [['tsbuild images --format json', 'one JSON document, for programs']],
  run: async (args, shell) => {
    const { runImages } = await import('../../images/run-images.ts')
    return await runImages(args, shell)
  },
}
