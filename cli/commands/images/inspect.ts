import { HELP, REGISTRY_FLAGS, ROOT_FLAG } from '../../arguments/common-flags.ts'
import { PLATFORM, REMOTE } from '../../arguments/image-flags.ts'
import type { Command } from '../command.ts'

/** `tsbuild inspect` */
export const INSPECT: Command = {
  name: 'inspect',
  summary: 'Show names, digests, config, layers and history of images, as JSON',
  usage: 'tsbuild inspect [flags] IMAGE…',
  flags: [
    REMOTE,
    { ...PLATFORM, help: 'With --remote: the image for this platform (default: this machine)' },
    {
      name: 'format',
      short: 'f',
      metavar: 'FORMAT',
      help: 'The form: json, or a template over what docker image inspect shows',
      group: 'Screen',
    },
    ...REGISTRY_FLAGS,
    ROOT_FLAG,
    HELP,
  ],
  examples: [
    ['tsbuild inspect hello', 'everything about hello:latest'],
    ['tsbuild inspect --remote alpine', 'of an image in a registry; nothing is pulled'],
    ["tsbuild inspect -f '{{json .Config.Env}}' hello", 'one part of it, as docker names it'],
  ],
  run: async (args, shell) => {
    const { runInspect } = await import('../../images/run-inspect.ts')
    return await runInspect(args, shell)
  },
}
