import { ENGINE_FLAGS, REGISTRY_FLAGS } from '../../arguments/common-flags.ts'
import { PLATFORM, REMOTE } from '../../arguments/image-flags.ts'
import type { Command } from '../command.ts'

/** `tsbuild inspect` */
export const INSPECT: Command = {
  name: 'inspect',
  summary: 'Show everything about containers, images, networks or volumes, as JSON',
  usage: 'tsbuild inspect [flags] NAME…',
  flags: [
    {
      name: 'type',
      metavar: 'TYPE',
      values: ['container', 'image', 'network', 'volume'],
      help: 'Only container, image, network or volume',
      group: 'What is meant',
    },
    REMOTE,
    { ...PLATFORM, help: 'With --remote: the image for this platform (default: this machine)' },
    {
      name: 'format',
      short: 'f',
      metavar: 'FORMAT',
      help: 'The form: json, or a template over what docker inspect shows',
      group: 'Screen',
    },
    { name: 'size', short: 's', help: 'What a container has written, too', group: 'Screen' },
    ...REGISTRY_FLAGS,
    ...ENGINE_FLAGS,
  ],
  examples: [
    ['tsbuild inspect hello', 'everything about the container hello, or the image hello:latest'],
    ['tsbuild inspect --remote alpine', 'of an image in a registry; nothing is pulled'],
    ["tsbuild inspect -f '{{json .Config.Env}}' hello", 'one part of it, as docker names it'],
    ["tsbuild inspect -f '{{.State.Status}}' web", 'how a container is'],
  ],
  notes: [
    'A name is looked for among the containers of a daemon that is named or runs, the images of the local store, and all that a daemon has.',
  ],
  run: async (args, shell) => {
    const { runInspect } = await import('../../engine/both/inspect.ts')
    return await runInspect(args, shell)
  },
}
