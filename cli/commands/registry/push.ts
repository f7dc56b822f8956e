import {
  HELP,
  IGNORE_CHOWN_ERRORS,
  PROGRESS,
  QUIET,
  REGISTRY_FLAGS,
  ROOT_FLAG,
} from '../../arguments/common-flags.ts'
import { PLATFORM } from '../../arguments/image-flags.ts'
import type { Command } from '../command.ts'

/** `tsbuild push` */
export const PUSH: Command = {
  name: 'push',
  summary: 'Push a local image to the registry in its name',
  usage: 'tsbuild push [flags] NAME[:TAG]',
  flags: [
    {
      name: 'all-tags',
      short: 'a',
      help: 'Every tag that the store has of the repository',
      group: 'Image',
    },
    { ...PLATFORM, help: 'Only the image for this platform (default: the whole index)' },
    ...REGISTRY_FLAGS,
    IGNORE_CHOWN_ERRORS,
    PROGRESS,
    { ...QUIET, help: 'Print nothing but the digest' },
    ROOT_FLAG,
    HELP,
  ],
  examples: [['tsbuild push ghcr.io/me/hello:1.0', 'push what the store has under this name']],
  needsNamespace: () => true,
  run: async (args, shell) => {
    const { runPush } = await import('../../images/run-push.ts')
    return await runPush(args, shell)
  },
}
