import { AUTHFILE, HELP, INSECURE, REGISTRY_CA } from '../../arguments/common-flags.ts'
import type { Command } from '../command.ts'

/** `tsbuild login` */
export const LOGIN: Command = {
  name: 'login',
  summary: 'Check credentials with a registry and keep them',
  usage: 'tsbuild login [flags] [REGISTRY]',
  flags: [
    {
      name: 'username',
      short: 'u',
      metavar: 'NAME',
      help: 'User name (default: ask for it)',
      group: 'Credentials',
    },
    {
      name: 'password',
      short: 'p',
      metavar: 'SECRET',
      help: 'Password or token; other users of this machine can see it',
      group: 'Credentials',
    },
    { name: 'password-stdin', help: 'Read the password from standard input', group: 'Credentials' },
    INSECURE,
    REGISTRY_CA,
    AUTHFILE,
    HELP,
  ],
  examples: [
    ['echo "$TOKEN" | tsbuild login -u me --password-stdin ghcr.io', 'log in from a script'],
  ],
  notes: [
    'REGISTRY is docker.io unless given. Credentials are kept where docker keeps them: in a credential helper, or in config.json in $DOCKER_CONFIG or ~/.docker.',
  ],
  run: async (args, shell) => {
    const { runLogin } = await import('../../images/run-login.ts')
    return await runLogin(args, shell)
  },
}
