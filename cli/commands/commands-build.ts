import type { Flag } from '../arguments/flags.ts'
import { LATER_FLAGS } from '../arguments/later-flags.ts'
import { STEP_FLAGS } from '../arguments/step-values.ts'
import {
  type Command,
  HELP,
  IGNORE_CHOWN_ERRORS,
  INSECURE,
  PROGRESS,
  QUIET,
  ROOT_FLAG,
} from './command.ts'

/** Flags that say what is built. */
export const INPUT: readonly Flag[] = [
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
    name: 'no-cache-filter',
    metavar: 'STAGE[,STAGE…]',
    repeat: true,
    help: 'The same for the steps of these stages and of what is built on them',
  },
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
    help: 'A secret for RUN --mount=type=secret; by ID alone the variable of that name, else the file',
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
  { name: 'iidfile', metavar: 'FILE', help: 'Write the image id to FILE' },
  { name: 'metadata-file', metavar: 'FILE', help: 'Write digests and names to FILE, as JSON' },
].map((flag) => ({ ...flag, group: 'Result' }))

const COMPATIBLE: readonly Flag[] = [
  { name: 'rm', help: 'Does nothing: no containers are left behind' },
  { name: 'force-rm', help: 'Does nothing, likewise' },
  { name: 'builder', metavar: 'NAME', help: 'Does nothing: there is one builder' },
].map((flag) => ({ ...flag, group: 'For scripts that call docker' }))

const QUESTIONS: readonly Flag[] = [
  { name: 'check', help: 'Run the build checks and nothing else; the same as --call check' },
  {
    name: 'call',
    metavar: 'REQUEST',
    help: 'Answer a question about the Dockerfile instead of building it, see below',
  },
].map((flag) => ({ ...flag, group: 'Questions' }))

export const BUILD: Command = {
  name: 'build',
  summary: 'Build an image from a Dockerfile (the word build may be left out)',
  usage: 'tsbuild [build] [flags] CONTEXT',
  flags: [
    ...INPUT,
    ...EXECUTION,
    ...STEP_FLAGS,
    ...RESULT,
    ...QUESTIONS,
    ...COMPATIBLE,
    ...LATER_FLAGS,
    INSECURE,
    IGNORE_CHOWN_ERRORS,
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
        ['mode=delete', 'Removes from FOLDER what the result does not have'],
        ['type=tar,dest=FILE', 'A tar of the files; - alone writes it to standard output'],
        ['dest=-', 'Standard output; oci and tar go there without dest, too'],
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
