import { HELP, PROGRESS, QUIET, REGISTRY_FLAGS, ROOT_FLAG } from '../../arguments/common-flags.ts'
import type { Command } from '../command.ts'

/** `tsbuild save` */
export const SAVE: Command = {
  name: 'save',
  summary: 'Write images of the local store to an archive',
  usage: 'tsbuild save [flags] NAME[:TAG]…',
  flags: [
    {
      name: 'output',
      short: 'o',
      metavar: 'FILE',
      values: 'paths',
      help: 'The archive (default: standard output)',
      group: 'Archive',
    },
    {
      name: 'format',
      metavar: 'FORMAT',
      values: ['docker', 'oci'],
      help: 'The form: docker or oci, with or without what docker load reads (default: docker)',
      group: 'Archive',
    },
    ...REGISTRY_FLAGS,
    PROGRESS,
    { ...QUIET, help: 'Show no progress' },
    ROOT_FLAG,
    HELP,
  ],
  examples: [
    ['tsbuild save -o app.tar app:1 app:2', 'an archive for docker load, podman and skopeo'],
    ['tsbuild save app:1 | docker load', 'hand an image to docker'],
  ],
  run: async (args, shell) => {
    const { runSave } = await import('../../transfer/run-save.ts')
    return await runSave(args, shell)
  },
}
