import {
  type Command,
  HELP,
  IGNORE_CHOWN_ERRORS,
  INSECURE,
  PROGRESS,
  QUIET,
  ROOT_FLAG,
} from './command.ts'

export const IMAGES: Command = {
  name: 'images',
  summary: 'List the images in the local store',
  usage: 'tsbuild images [flags]',
  flags: [
    { name: 'format', metavar: 'FORMAT', help: 'table or json (default: table)', group: 'Screen' },
    { name: 'quiet', short: 'q', help: 'Print image ids only', group: 'Screen' },
    ROOT_FLAG,
    HELP,
  ],
  examples: [['tsbuild images --format json', 'one JSON document, for programs']],
  namespace: false,
}

export const INSPECT: Command = {
  name: 'inspect',
  summary: 'Show names, digests, config, layers and history of local images, as JSON',
  usage: 'tsbuild inspect [flags] IMAGE…',
  flags: [ROOT_FLAG, HELP],
  examples: [['tsbuild inspect hello', 'everything about hello:latest']],
  namespace: false,
}

export const TAG: Command = {
  name: 'tag',
  summary: 'Give a local image another name',
  usage: 'tsbuild tag [flags] IMAGE NAME[:TAG]',
  flags: [ROOT_FLAG, HELP],
  examples: [['tsbuild tag hello ghcr.io/me/hello:1.0', 'a name that can be pushed']],
  namespace: false,
}

export const RMI: Command = {
  name: 'rmi',
  summary: 'Remove names of local images',
  usage: 'tsbuild rmi [flags] IMAGE…',
  flags: [ROOT_FLAG, HELP],
  examples: [
    ['tsbuild rmi hello', 'remove the name hello:latest'],
    ['tsbuild rmi 0123456789ab', 'remove every name of the image with this id'],
  ],
  notes: ['Layers stay in the store: later builds may use them.'],
  namespace: false,
}

export const PUSH: Command = {
  name: 'push',
  summary: 'Push a local image to the registry in its name',
  usage: 'tsbuild push [flags] NAME[:TAG]',
  flags: [
    INSECURE,
    IGNORE_CHOWN_ERRORS,
    PROGRESS,
    { ...QUIET, help: 'Print nothing but the digest' },
    ROOT_FLAG,
    HELP,
  ],
  examples: [['tsbuild push ghcr.io/me/hello:1.0', 'push what the store has under this name']],
  namespace: true,
}

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
    HELP,
  ],
  examples: [
    ['echo "$TOKEN" | tsbuild login -u me --password-stdin ghcr.io', 'log in from a script'],
  ],
  notes: [
    'REGISTRY is docker.io unless given. Credentials are kept where docker keeps them: in a credential helper, or in config.json in $DOCKER_CONFIG or ~/.docker.',
  ],
  namespace: false,
}

export const LOGOUT: Command = {
  name: 'logout',
  summary: 'Forget the credentials for a registry',
  usage: 'tsbuild logout [REGISTRY]',
  flags: [HELP],
  examples: [],
  namespace: false,
}
