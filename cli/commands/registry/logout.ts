import { AUTHFILE, HELP } from '../../arguments/common-flags.ts'
import type { Command } from '../command.ts'

/** `tsbuild logout` */
export const LOGOUT: Command = {
  name: 'logout',
  summary: 'Forget the credentials for a registry',
  usage: 'tsbuild logout [REGISTRY]',
  flags: [AUTHFILE, HELP],
  examples: [],
  run: async (args, shell) => {
    const { runLogout } = await import('../../images/run-login.ts')
    return await runLogout(args, shell)
  },
}
