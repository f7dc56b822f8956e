import { SENDING_FLAGS } from '../../arguments/common-flags.ts'
import { PLATFORM } from '../../arguments/image-flags.ts'
import type { Command } from '../command.ts'

/** `tsbuild copy` */
export const COPY: Command = {
  name: 'copy',
  summary: 'Copy an image between registries, folders and archives, as it is',
  usage: 'tsbuild copy [flags] SRC DST',
  flags: [
    {
      ...PLATFORM,
      help: 'Only the image for this platform (default: the whole index)',
    },
    {
      name: 'all-platforms',
      help: 'The whole index with all that it lists: the default',
      group: 'Image',
    },
    {
      name: 'referrers',
      help: 'Signatures and other manifests that refer to it, too',
      group: 'Image',
    },
    ...SENDING_FLAGS,
  ],
  examples: [
    ['tsbuild copy alpine:3.22 ghcr.io/me/alpine:3.22', 'every platform; all digests stay'],
    ['tsbuild copy app.example/app:1 oci:layout:1', 'into an OCI layout, beside what it has'],
    ['tsbuild copy docker-archive:app.tar ghcr.io/me/app:1', 'what docker save wrote'],
  ],
  notes: [
    'SRC and DST are names in registries, oci:FOLDER[:TAG], oci-archive:FILE[:TAG] or docker-archive:FILE[:NAME]. Nothing is unpacked or packed.',
  ],
  run: async (args, shell) => {
    const { runCopy } = await import('../../transfer/run-copy.ts')
    return await runCopy(args, shell)
  },
}
