import type { Flag } from './flags.ts'
import { STEP_FLAGS } from './step-values.ts'

export type CommandName =
  | 'build'
  | 'context'
  | 'fmt'
  | 'graph'
  | 'help'
  | 'images'
  | 'inspect'
  | 'login'
  | 'logout'
  | 'parse'
  | 'push'
  | 'rmi'
  | 'tag'
  | 'version'

/** A part of the help beside the flags. */
export interface HelpTable {
  readonly title: string
  readonly rows: readonly (readonly [string, string])[]
}

/** One command of the program, as parsing and `--help` know it; `main.ts` runs it. */
export interface Command {
  readonly name: CommandName
  readonly summary: string
  readonly usage: string
  readonly flags: readonly Flag[]
  /** Command lines with what they do. */
  readonly examples: readonly (readonly [string, string])[]
  /** More that `--help` should say: terms and what they mean. */
  readonly tables?: readonly HelpTable[]
  /** More that `--help` should say, a paragraph each. */
  readonly notes?: readonly string[]
  /** True when files of the store are read or written that only the user namespace can. */
  readonly namespace: boolean
}

const GENERAL = 'General'

const HELP: Flag = { name: 'help', short: 'h', help: 'Show this help', group: GENERAL }

/** The flag that may stand in front of a command. */
export const ROOT_FLAG: Flag = {
  name: 'root',
  metavar: 'DIR',
  help: 'The store (default: $TSBUILD_ROOT, /var/lib/tsbuild, or $XDG_DATA_HOME/tsbuild)',
  group: GENERAL,
}

const INSECURE: Flag = {
  name: 'insecure-registry',
  metavar: 'HOST',
  repeat: true,
  help: 'Speak plain HTTP, or HTTPS without checking the certificate, to HOST[:PORT]',
  group: 'Registry',
}

const PROGRESS: Flag = {
  name: 'progress',
  metavar: 'MODE',
  help: 'How to show progress: auto, plain, tty or quiet (default: auto)',
  group: 'Screen',
}

const INPUT: readonly Flag[] = [
  {
    name: 'file',
    short: 'f',
    metavar: 'FILE',
    help: 'The Dockerfile, a path or a URL (default: CONTEXT/Dockerfile); - is standard input',
  },
  { name: 'target', metavar: 'STAGE', help: 'Build up to this stage (default: the last one)' },
  {
    name: 'build-arg',
    metavar: 'KEY[=VALUE]',
    repeat: true,
    help: 'Set an ARG; without VALUE it is taken from the environment',
  },
  {
    name: 'build-context',
    metavar: 'NAME=SOURCE',
    repeat: true,
    help: 'Use SOURCE for the image or stage NAME: a folder, docker-image://IMAGE, oci-layout://FOLDER[:TAG], a git repository, a URL, or target:STAGE',
  },
  { name: 'label', metavar: 'KEY=VALUE', repeat: true, help: 'Add a label to the image' },
  {
    name: 'platform',
    metavar: 'OS/ARCH',
    repeat: true,
    help: "Build for this platform (default: this machine's); several, or a list with commas, make an index",
  },
].map((flag) => ({ ...flag, group: 'What to build' }))

const EXECUTION: readonly Flag[] = [
  { name: 'no-cache', help: 'Run every step, even when its result is known' },
  {
    name: 'reproducible',
    help: 'Make the same image of the same input, wherever and whenever it is built',
  },
  { name: 'pull', help: 'Ask the registry for base images that the store has' },
  { name: 'network', metavar: 'MODE', help: 'Network of RUN steps: default, none or host' },
  {
    name: 'secret',
    metavar: 'id=ID[,src=FILE|,env=VAR]',
    repeat: true,
    help: 'A secret for RUN --mount=type=secret',
  },
  {
    name: 'ssh',
    metavar: 'ID[=SOCKET|=KEY,…]',
    repeat: true,
    help: 'An SSH agent for RUN --mount=type=ssh: $SSH_AUTH_SOCK, a socket, or key files',
  },
  { name: 'jobs', metavar: 'N', help: 'Run up to N steps at a time (default: the number of CPUs)' },
].map((flag) => ({ ...flag, group: 'How to build' }))

const RESULT: readonly Flag[] = [
  { name: 'tag', short: 't', metavar: 'NAME[:TAG]', repeat: true, help: 'Name the image' },
  {
    name: 'output',
    short: 'o',
    metavar: 'OUTPUT',
    repeat: true,
    help: 'Where the result goes, see below (default: the local store)',
  },
  { name: 'push', help: 'Push the image to the registries in its names' },
  { name: 'load', help: 'Keep the image in the local store, whatever the other outputs are' },
  { name: 'iidfile', metavar: 'FILE', help: 'Write the image id to FILE' },
  { name: 'metadata-file', metavar: 'FILE', help: 'Write digests and names to FILE, as JSON' },
].map((flag) => ({ ...flag, group: 'Result' }))

const QUESTIONS: readonly Flag[] = [
  { name: 'check', help: 'Run the build checks and nothing else; the same as --call check' },
  {
    name: 'call',
    metavar: 'REQUEST',
    help: 'Answer a question about the Dockerfile instead of building it, see below',
  },
].map((flag) => ({ ...flag, group: 'Questions' }))

const QUIET: Flag = {
  name: 'quiet',
  short: 'q',
  help: 'Print nothing but the image id',
  group: 'Screen',
}

const BUILD: Command = {
  name: 'build',
  summary: 'Build an image from a Dockerfile (the word build may be left out)',
  usage: 'tsbuild [build] [flags] CONTEXT',
  flags: [
    ...INPUT,
    ...EXECUTION,
    ...STEP_FLAGS,
    ...RESULT,
    ...QUESTIONS,
    INSECURE,
    PROGRESS,
    QUIET,
    ROOT_FLAG,
    HELP,
  ],
  examples: [
    ['tsbuild -t hello .', 'build the folder . and name the image hello:latest'],
    ['tsbuild -t ghcr.io/me/app:1.2 --push .', 'build and push'],
    ['tsbuild --target test --no-cache .', 'run the stage test again'],
    ['tsbuild -o type=oci,dest=app.tar .', 'write an OCI archive'],
    ['tsbuild -o out .', 'write the files of the result into the folder out'],
    ['tsbuild -t app https://host/app.git#v1:src', 'build a folder of a git repository'],
    ['tar c . | tsbuild -t app -', 'build an archive that comes on standard input'],
    ['tsbuild --check .', 'check the Dockerfile; exit with 1 when something was found'],
  ],
  tables: [
    {
      title: 'Outputs (settings in CSV; quote one with a comma: type=oci,"dest=a,b.tar")',
      rows: [
        ['type=store', 'The local store'],
        ['type=registry', 'The registries in the names of the image'],
        ['type=image[,push=true]', 'The local store and, with push, the registries'],
        ['type=oci,dest=FILE', 'An archive with an OCI layout; a folder with tar=false'],
        ['type=docker,dest=FILE', 'An archive for docker load; a folder with tar=false'],
        ['type=local,dest=FOLDER', 'The files of the result; FOLDER alone means the same'],
        ['type=tar,dest=FILE', 'A tar of the files; - alone writes it to standard output'],
        ['name=NAME', 'Another name for an image output'],
        ['compression=C', 'Layers as uncompressed, gzip or zstd: registry, image, oci, docker'],
      ],
    },
    {
      title: 'Questions (--call REQUEST[,format=FORMAT][,ignorestatus=true])',
      rows: [
        ['check, lint', 'What the build checks find: text, json or sarif'],
        ['outline', 'Arguments, secrets and SSH agents that the target takes: text or json'],
        ['targets', 'Stages that can be built: text or json'],
        ['subrequests.describe', 'The questions that can be asked: text or json'],
      ],
    },
  ],
  notes: [
    'CONTEXT is a folder, a git repository (https://HOST/PATH.git#REF:FOLDER, git@HOST:PATH, github.com/USER/REPOSITORY), the URL of an archive or a Dockerfile, or - for either on standard input. Where it is not a folder, FILE is a path in it.',
    "A first word that is a command's name is that command: write ./images for a context of that name.",
  ],
  namespace: true,
}

const CONTEXT: Command = {
  name: 'context',
  summary: 'List what a build can read of its context, and which rule decided',
  usage: 'tsbuild context [flags] [CONTEXT]',
  flags: [
    {
      name: 'file',
      short: 'f',
      metavar: 'FILE',
      help: 'The Dockerfile, whose FILE.dockerignore wins over .dockerignore; - for none',
      group: 'What to list',
    },
    {
      name: 'explain',
      metavar: 'PATH',
      repeat: true,
      help: 'Tell of PATH, taken from the context, whether it is ignored, and by which lines',
      group: 'What to list',
    },
    { name: 'format', metavar: 'FORMAT', help: 'text or json (default: text)', group: 'Screen' },
    HELP,
  ],
  examples: [
    ['tsbuild context', 'files of the folder . with their sizes'],
    ['tsbuild context --explain node_modules/x app', 'why node_modules/x of app is left out'],
    ['tsbuild context --format json | jq .total', 'how many files and bytes there are'],
  ],
  notes: [
    'A path counts as ignored when a pattern matches it or one of its parents; the last pattern that matches decides.',
    'The Dockerfile and the ignore file are read for the build even where they are ignored: then they cannot be copied. No other file is read here.',
  ],
  namespace: false,
}

const FMT: Command = {
  name: 'fmt',
  summary: 'Format Dockerfiles: same meaning, one way of writing it',
  usage: 'tsbuild fmt [flags] [FILE…]',
  flags: [
    {
      name: 'file',
      short: 'f',
      metavar: 'FILE',
      repeat: true,
      help: 'A Dockerfile (default: Dockerfile); - reads it from standard input',
      group: 'What to format',
    },
    {
      name: 'check',
      help: 'List the files that formatting would change, and exit with 1 if there are any',
      group: 'Result',
    },
    {
      name: 'write',
      short: 'w',
      help: 'Change the files in place, and list those that were changed',
      group: 'Result',
    },
    HELP,
  ],
  examples: [
    ['tsbuild fmt', 'print ./Dockerfile as it should be'],
    ['tsbuild fmt -w Dockerfile docker/*.Dockerfile', 'format files in place'],
    ['tsbuild fmt --check', 'fail in CI when the Dockerfile is not formatted'],
  ],
  notes: [
    'Keywords get upper case, words stand one blank apart, blank lines come one at a time, lines end with a line feed. Scripts, heredocs, comments and line breaks are kept as they are.',
  ],
  namespace: false,
}

const PARSE: Command = {
  name: 'parse',
  summary: 'Show the instructions of Dockerfiles and their arguments, as JSON',
  usage: 'tsbuild parse [flags] [FILE]',
  flags: [
    {
      name: 'files-from',
      metavar: 'LIST',
      help: 'Parse the files named in LIST, one a line; - reads it from standard input',
      group: 'What to parse',
    },
    { name: 'format', metavar: 'FORMAT', help: 'Form of the output: json', group: 'Screen' },
    HELP,
  ],
  examples: [
    ['tsbuild parse | jq .stages', 'the stages of ./Dockerfile'],
    ["find . -name '*Dockerfile' | tsbuild parse --files-from -", 'a JSON document a line'],
  ],
  notes: [
    'FILE is Dockerfile unless given; - is standard input. Nothing is expanded, quotes are kept. A file that is no Dockerfile gives {"error": {"message", "line"}} and exit code 1.',
  ],
  namespace: false,
}

const GRAPH: Command = {
  name: 'graph',
  summary: 'Show the stages of a Dockerfile and what they use of each other',
  usage: 'tsbuild graph [flags] [CONTEXT]',
  flags: [
    {
      name: 'format',
      metavar: 'FORMAT',
      help: 'text, json, dot, svg or mermaid (default: text)',
      group: 'Screen',
    },
    ...INPUT.filter(({ name }) => name === 'file' || name === 'build-arg').map((flag) => ({
      ...flag,
      group: 'What to show',
    })),
    {
      name: 'target',
      metavar: 'STAGE',
      help: 'The stage that would be built (default: the last one)',
      group: 'What to show',
    },
    {
      name: 'platform',
      metavar: 'OS/ARCH',
      help: "The platform that would be built for (default: this machine's)",
      group: 'What to show',
    },
    HELP,
  ],
  examples: [
    ['tsbuild graph', 'the Dockerfile in this folder, as a list'],
    ['tsbuild graph --format svg --target test . > graph.svg', 'a picture for the browser'],
  ],
  notes: ['Nothing is built, and no registry is asked: only the Dockerfile is read.'],
  namespace: false,
}

const IMAGES: Command = {
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

const INSPECT: Command = {
  name: 'inspect',
  summary: 'Show names, digests, config, layers and history of local images, as JSON',
  usage: 'tsbuild inspect [flags] IMAGE…',
  flags: [ROOT_FLAG, HELP],
  examples: [['tsbuild inspect hello', 'everything about hello:latest']],
  namespace: false,
}

const TAG: Command = {
  name: 'tag',
  summary: 'Give a local image another name',
  usage: 'tsbuild tag [flags] IMAGE NAME[:TAG]',
  flags: [ROOT_FLAG, HELP],
  examples: [['tsbuild tag hello ghcr.io/me/hello:1.0', 'a name that can be pushed']],
  namespace: false,
}

const RMI: Command = {
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

const PUSH: Command = {
  name: 'push',
  summary: 'Push a local image to the registry in its name',
  usage: 'tsbuild push [flags] NAME[:TAG]',
  flags: [INSECURE, PROGRESS, { ...QUIET, help: 'Print nothing but the digest' }, ROOT_FLAG, HELP],
  examples: [['tsbuild push ghcr.io/me/hello:1.0', 'push what the store has under this name']],
  namespace: true,
}

const LOGIN: Command = {
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

const LOGOUT: Command = {
  name: 'logout',
  summary: 'Forget the credentials for a registry',
  usage: 'tsbuild logout [REGISTRY]',
  flags: [HELP],
  examples: [],
  namespace: false,
}

const VERSION: Command = {
  name: 'version',
  summary: 'Show the version',
  usage: 'tsbuild version',
  flags: [HELP],
  examples: [],
  namespace: false,
}

const HELP_COMMAND: Command = {
  name: 'help',
  summary: 'Show help on a command',
  usage: 'tsbuild help [COMMAND]',
  flags: [HELP],
  examples: [],
  namespace: false,
}

/** Every command, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  BUILD,
  CONTEXT,
  PARSE,
  FMT,
  GRAPH,
  IMAGES,
  INSPECT,
  TAG,
  RMI,
  PUSH,
  LOGIN,
  LOGOUT,
  VERSION,
  HELP_COMMAND,
]

/** The command that is meant when none is named. */
export const DEFAULT_COMMAND: Command = BUILD
