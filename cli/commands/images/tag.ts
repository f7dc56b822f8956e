import { HELP, ROOT_FLAG } from '../../arguments/common-flags.ts'
import type { Command } from '../command.ts'

/** `tsbuild tag` */
export const TAG: Command = {
  name: 'tag',
  summary: 'Give a local image another name',
  usage: 'tsbuild tag [flags] IMAGE NAME[:TAG]',
  flags: [ROOT_FLAG, HELP],
  examples: [['tsbuild tag hello ghcr.io/me/hello:1.0', 'a name that can be pushed']],
  run: async (args, shell) => {
    const { runTag } = await import('../../images/run-names.ts')
    return await runTag(args, shell)
  },
}
