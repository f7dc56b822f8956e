import { HELP, PROGRESS, QUIET, ROOT_FLAG } from '../../arguments/common-flags.ts'
import type { Command } from '../command.ts'

/** `tsbuild load` */
export const LOAD: Command = {
  name: 'load',
  summary: 'Take images of an archive into the local store',
  usage: 'tsbuild load [flags] [< ARCHIVE]',
  flags: [
    {
      name: 'input',
      short: 'i',
      metavar: 'FILE',
      values: 'paths',
      help: 'The archive, also packed with gzip or zstd (default: standard input)',
      group: 'Archive',
    },
    {
      name: 'name',
      metavar: 'NAME[:TAG]',
      help: 'The name of the only image of an archive that has none',
      group: 'Archive',
    },
    PROGRESS,
    { ...QUIET, help: 'Show no progress' },
    ROOT_FLAG,
    HELP,
  ],
  examples: [
    ['tsbuild load -i app.tar', 'what docker save, podman save, skopeo or tsbuild save wrote'],
    ['docker save app:1 | tsbuild load', 'an image of docker'],
  ],
  run: async (args, shell) => {
    const { runLoad } = await import('../../transfer/run-load.ts')
    return await runLoad(args, shell)
  },
}
