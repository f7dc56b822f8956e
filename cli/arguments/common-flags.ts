import { PROGRESS_MODES } from '../progress/progress.ts'
import type { Flag } from './flags.ts'

const GENERAL = 'General'

/** Every command takes it. */
export const HELP: Flag = { name: 'help', short: 'h', help: 'Show this help', group: GENERAL }

/** The flag that may stand in front of a command. */
export const ROOT_FLAG: Flag = {
  name: 'root',
  metavar: 'DIR',
  values: 'paths',
  help: 'The store (default: $TSBUILD_ROOT, /var/lib/tsbuild, or $XDG_DATA_HOME/tsbuild)',
  group: GENERAL,
}

/** For commands that ask registries. */
export const INSECURE: Flag = {
  name: 'insecure-registry',
  metavar: 'HOST',
  repeat: true,
  help: 'Speak plain HTTP, or HTTPS without checking the certificate, to HOST[:PORT]',
  group: 'Registry',
}

/** For commands that ask registries. */
export const REGISTRY_CA: Flag = {
  name: 'registry-ca',
  metavar: 'FILE',
  values: 'paths',
  repeat: true,
  help: 'Trust registries whose certificate is signed by an authority in FILE, too',
  group: 'Registry',
}

/** For commands that log in to registries. */
export const AUTHFILE: Flag = {
  name: 'authfile',
  metavar: 'FILE',
  values: 'paths',
  help: "Credentials of registries, in place of docker's and podman's (default: $REGISTRY_AUTH_FILE)",
  group: 'Registry',
}

/** For commands that pull. */
export const REGISTRY_MIRROR: Flag = {
  name: 'registry-mirror',
  metavar: 'HOST=MIRROR',
  repeat: true,
  help: 'Pull what is on HOST from MIRROR[/PREFIX] first',
  group: 'Registry',
}

/** For commands that ask registries for images. */
export const REGISTRY_FLAGS: readonly Flag[] = [INSECURE, REGISTRY_CA, REGISTRY_MIRROR, AUTHFILE]

/** For commands that push. */
export const IGNORE_CHOWN_ERRORS: Flag = {
  name: 'ignore-chown-errors',
  help: 'Push, too, what steps with one user id only made of files of other owners',
  group: 'Registry',
}

/** For commands that show progress. */
export const PROGRESS: Flag = {
  name: 'progress',
  metavar: 'MODE',
  values: [...PROGRESS_MODES, 'none'],
  help: 'How to show progress: auto, plain, tty, rawjson, quiet or none (default: auto)',
  group: 'Screen',
}

/** For commands that print text for people, or JSON for programs. */
export const TEXT_FORMAT: Flag = {
  name: 'format',
  metavar: 'FORMAT',
  values: ['text', 'json'],
  help: 'text or json (default: text)',
  group: 'Screen',
}

/** For commands that list what is in the store. */
export const TABLE_FORMAT: Flag = {
  ...TEXT_FORMAT,
  values: ['table', 'json'],
  help: 'table or json (default: table)',
}

/** For builds. */
export const DEBUG: Flag = {
  name: 'debug',
  short: 'D',
  help: 'Say in the end how steps were run on this machine, and why',
  group: 'Screen',
}

/** For commands that show builds. */
export const TIMING: Flag = {
  name: 'timing',
  help: 'Say in the end where the time went: parts of the build, and the slowest steps',
  group: 'Screen',
}

/** For builds. */
export const EXPLAIN: readonly Flag[] = [
  {
    name: 'explain',
    help: 'Say in the end why each step ran that did: what differs from earlier results',
    group: 'Screen',
  },
  {
    name: 'explain-file',
    metavar: 'FILE',
    values: 'paths',
    help: 'Write the same to FILE, as JSON',
    group: 'Result',
  },
]

/** For commands that print an image ID at their end. */
export const QUIET: Flag = {
  name: 'quiet',
  short: 'q',
  help: 'Print nothing but the image id',
  group: 'Screen',
}

/** The last flags of commands that write to a registry, and print a digest. */
export const SENDING_FLAGS: readonly Flag[] = [
  ...REGISTRY_FLAGS,
  PROGRESS,
  { ...QUIET, help: 'Print nothing but the digest' },
  ROOT_FLAG,
  HELP,
]

const DAEMON = 'Daemon'

/** For commands that are clients of a daemon: they may stand in front of the command, as docker's. */
export const ENGINE_FLAGS: readonly Flag[] = [
  {
    name: 'host',
    short: 'H',
    metavar: 'ADDRESS',
    help: "Its address: unix://PATH, tcp://HOST:PORT, ssh://HOST (default: $DOCKER_HOST, or tsbuild's own)",
    group: DAEMON,
  },
  { name: 'context', metavar: 'NAME', help: 'That of a docker context', group: DAEMON },
  { name: 'tls', help: 'Speak TLS with it', group: DAEMON },
  { name: 'tlsverify', help: 'Speak TLS with it, and check its certificate', group: DAEMON },
  {
    name: 'tlscacert',
    metavar: 'FILE',
    values: 'paths',
    help: 'The authority of its certificate',
    group: DAEMON,
  },
  {
    name: 'tlscert',
    metavar: 'FILE',
    values: 'paths',
    help: 'The certificate to show it',
    group: DAEMON,
  },
  { name: 'tlskey', metavar: 'FILE', values: 'paths', help: 'Its key', group: DAEMON },
  { ...ROOT_FLAG, help: "The store of tsbuild's own daemon" },
  HELP,
]
