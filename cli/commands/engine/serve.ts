import {
  HELP,
  INSECURE,
  REGISTRY_CA,
  REGISTRY_MIRROR,
  ROOT_FLAG,
} from '../../arguments/common-flags.ts'
import type { Command } from '../command.ts'

const DAEMON = 'Daemon'

/** `tsbuild serve` */
export const SERVE: Command = {
  name: 'serve',
  summary: "Serve docker's clients, or BuildKit's",
  usage: 'tsbuild serve [flags]',
  flags: [
    {
      name: 'host',
      short: 'H',
      metavar: 'URL',
      repeat: true,
      help: 'Listen there: unix:///PATH, tcp://HOST:PORT with certificates, or fd:// of a service manager',
      group: DAEMON,
    },
    {
      name: 'buildkit',
      metavar: 'URL',
      repeat: true,
      help: "Serve BuildKit's clients there, buildx and buildctl; without --host, nothing else",
      group: DAEMON,
    },
    {
      name: 'group',
      short: 'G',
      metavar: 'GROUP',
      help: 'Let the members of a group use unix sockets, which gives them all rights of the daemon',
      group: DAEMON,
    },
    {
      name: 'idle-timeout',
      metavar: 'TIME',
      help: 'End when nothing has run, and nobody was connected, for so long: 60s',
      group: DAEMON,
    },
    {
      name: 'tlscacert',
      metavar: 'FILE',
      values: 'paths',
      help: "The authority of clients' certificates",
      group: DAEMON,
    },
    {
      name: 'tlscert',
      metavar: 'FILE',
      values: 'paths',
      help: 'The certificate of the daemon',
      group: DAEMON,
    },
    {
      name: 'tlskey',
      metavar: 'FILE',
      values: 'paths',
      help: 'The key of that certificate',
      group: DAEMON,
    },
    INSECURE,
    REGISTRY_CA,
    REGISTRY_MIRROR,
    ROOT_FLAG,
    HELP,
  ],
  examples: [
    ['tsbuild serve', "as this user's daemon"],
    ['DOCKER_HOST=unix:///run/tsbuild/engine.sock docker ps', "docker's command with it"],
  ],
  notes: [
    'Containers end with the daemon: SIGTERM stops them. The next start starts those whose restart policy says so.',
  ],
  needsNamespace: () => true,
  run: async (args, shell) => {
    const { runServe } = await import('../../engine/run-serve.ts')
    return await runServe(args, shell)
  },
}
