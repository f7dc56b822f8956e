import { HELP, PROGRESS, QUIET, REGISTRY_FLAGS, ROOT_FLAG } from '../../arguments/common-flags.ts'
import { PLATFORM } from '../../arguments/image-flags.ts'
import type { Command } from '../command.ts'

/** `tsbuild pull` */
export const PULL: Command = {
  name: 'pull',
  summary: 'Take an image of a registry into the local store',
  usage: 'tsbuild pull [flags] NAME[:TAG|@DIGEST]',
  flags: [
    { name: 'all-tags', short: 'a', help: 'Every tag of the repository', group: 'Image' },
    PLATFORM,
    ...REGISTRY_FLAGS,
    PROGRESS,
    { ...QUIET, help: 'Print nothing but the name' },
    ROOT_FLAG,
    HELP,
  ],
  examples: [
    ['tsbuild pull alpine:3.22', 'all of it: nothing is fetched later'],
    ['tsbuild pull --platform linux/arm64 alpine', 'the image for another machine'],
  ],
  run: async (args, shell) => {
    const { runPull } = await import('../../transfer/run-pull.ts')
    return await runPull(args, shell)
  },
}
