import type { Flag } from './flags.ts'

/** How a build is written on the command line. */
export const BUILD_USAGE = 'tsbuild [build] [flags] CONTEXT'

/** What steps may be shown, and no cache knows. */
export const SECRETS: readonly Flag[] = [
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
].map((flag) => ({ ...flag, group: 'How it is run' }))

/** Flags that say what is built. */
export const INPUT: readonly Flag[] = [
  {
    name: 'file',
    short: 'f',
    metavar: 'FILE',
    values: 'paths' as const,
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

/** Flags that say which caches elsewhere are used. */
export const CACHES: readonly Flag[] = [
  {
    name: 'cache-from',
    metavar: 'CACHE',
    repeat: true,
    help: 'Look for results that the store does not have here, see below',
  },
  {
    name: 'cache-to',
    metavar: 'CACHE',
    repeat: true,
    help: 'Send the results of this build here, see below',
  },
].map((flag) => ({ ...flag, group: 'Caches elsewhere' }))

/** Flags that say how steps are executed. */
export const EXECUTION: readonly Flag[] = [
  {
    name: 'no-cache',
    help: 'Run every step, even when its result is known, with its cache mounts empty',
  },
  {
    name: 'no-cache-filter',
    metavar: 'STAGE[:INSTRUCTION]',
    repeat: true,
    help: 'The same for the steps of a stage, for some (build:RUN, build:"RUN apt-get*"), or for some of all stages (:RUN), and for what is built on them',
  },
  {
    name: 'reproducible',
    help: 'Make the same image of the same input, wherever and whenever it is built',
  },
  { name: 'pull', help: 'Ask the registry for base images that the store has' },
  {
    name: 'network',
    metavar: 'MODE',
    values: ['default', 'none', 'host'],
    help: 'Network of RUN steps: default, none or host',
  },
  ...SECRETS,
  {
    name: 'on-failure',
    metavar: 'ACTION',
    values: ['shell'],
    help: 'When a step fails: shell opens one where it failed, if standard input is a terminal',
  },
  {
    name: 'cache-max',
    metavar: 'SIZE',
    help: 'Keep the store within SIZE after the build, or none (default: a quarter of the disk, 50GB at most)',
  },
  {
    name: 'jobs',
    metavar: 'N',
    help: 'Run up to N steps at a time (default: as the machine allows)',
  },
].map((flag) => ({ ...flag, group: 'How to build' }))

/** Flags that say where the result goes. */
export const RESULT: readonly Flag[] = [
  { name: 'tag', short: 't', metavar: 'NAME[:TAG]', repeat: true, help: 'Name the image' },
  {
    name: 'output',
    short: 'o',
    metavar: 'OUTPUT',
    values: 'paths' as const,
    repeat: true,
    help: 'Where the result goes, see below (default: the local store)',
  },
  {
    name: 'annotation',
    metavar: '[LEVEL:]KEY=VALUE',
    repeat: true,
    help: 'Annotate the image; LEVEL is manifest, index, manifest-descriptor or index-descriptor, one of a platform with [OS/ARCH]',
  },
  { name: 'push', help: 'Push the image to the registries in its names' },
  { name: 'load', help: 'Load the image into docker, or into podman where there is no docker' },
  {
    name: 'squash',
    help: 'Make one layer of all new ones; those of the base stay, and steps are cached as ever',
  },
  {
    name: 'load-into',
    metavar: 'ENGINE',
    values: ['docker', 'podman'],
    help: 'Load the image into docker, or into podman, whichever else is there',
  },
  {
    name: 'provenance',
    metavar: 'true|mode=MODE',
    repeat: true,
    help: 'Say beside the image how it was built: mode=min or max (default: max for true; without the flag nothing)',
  },
  {
    name: 'sbom',
    metavar: 'true|format=FORMAT',
    repeat: true,
    help: 'List its packages beside the image: format=spdx (default), cyclonedx, or spdx+cyclonedx',
  },
  {
    name: 'attest',
    metavar: 'type=TYPE[,…]',
    repeat: true,
    help: 'The same in one flag: type=provenance,mode=min, or type=sbom',
  },
  {
    name: 'sign',
    metavar: 'key=FILE',
    repeat: true,
    help: 'Sign what is pushed with a private key, as tsbuild sign does; also annotation.NAME=VALUE',
  },
  {
    name: 'iidfile',
    metavar: 'FILE',
    values: 'paths' as const,
    help: 'Write the image id to FILE',
  },
  {
    name: 'metadata-file',
    metavar: 'FILE',
    values: 'paths' as const,
    help: 'Write digests and names to FILE, as JSON',
  },
].map((flag) => ({ ...flag, group: 'Result' }))

/** Flags that are accepted and have no effect. */
export const COMPATIBLE: readonly Flag[] = [
  { name: 'rm', help: 'Does nothing: no containers are left behind' },
  { name: 'force-rm', help: 'Does nothing, likewise' },
  { name: 'builder', metavar: 'NAME', help: 'Does nothing: there is one builder' },
].map((flag) => ({ ...flag, group: 'For scripts that call docker' }))

/** Flags that ask about a Dockerfile instead of building it. */
export const QUESTIONS: readonly Flag[] = [
  { name: 'check', help: 'Run the build checks and nothing else; the same as --call check' },
  {
    name: 'call',
    metavar: 'REQUEST',
    values: ['check', 'lint', 'outline', 'targets', 'subrequests.describe'],
    help: 'Answer a question about the Dockerfile instead of building it, see below',
  },
].map((flag) => ({ ...flag, group: 'Questions' }))
