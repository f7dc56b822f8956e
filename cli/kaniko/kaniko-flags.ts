import type { Flag } from '../arguments/flags.ts'

/** One flag of kaniko's executor, and what it means here. */
export interface KanikoFlag extends Flag {
  /** Why it does nothing; it is accepted, and this is said. */
  readonly notice?: string
  /** How to do without what it asks for: it is refused, unless its value is empty or `false`. */
  readonly refusal?: string
}

/** What the flags of a group have in common. */
type Group = readonly Omit<KanikoFlag, 'group'>[]

const INPUT: Group = [
  {
    name: 'context',
    short: 'c',
    metavar: 'CONTEXT',
    values: 'paths',
    help: 'A folder, dir://FOLDER, git://HOST/PATH#REF#COMMIT, tar://FILE, https://URL, or - for an archive on standard input (default: /workspace/)',
  },
  { name: 'context-sub-path', metavar: 'PATH', help: 'Use this folder of the context' },
  {
    name: 'dockerfile',
    short: 'f',
    metavar: 'FILE',
    values: 'paths',
    help: 'The Dockerfile: a path, in the current folder or else in the context, or a URL (default: Dockerfile)',
  },
  { name: 'target', metavar: 'STAGE', help: 'Build up to this stage (default: the last one)' },
  {
    name: 'build-arg',
    metavar: 'KEY[=VALUE]',
    repeat: true,
    help: 'Set an ARG; without VALUE it is taken from the environment',
  },
  { name: 'label', metavar: 'KEY=VALUE', repeat: true, help: 'Add a label to the image' },
  { name: 'custom-platform', metavar: 'OS/ARCH', help: 'Build for this platform' },
  {
    name: 'git',
    metavar: 'KEY=VALUE',
    repeat: true,
    help: 'Of a git context: branch=NAME, recurse-submodules=true',
  },
  { name: 'reproducible', help: 'Make the same image of the same input' },
]

const RESULT: Group = [
  {
    name: 'destination',
    short: 'd',
    metavar: 'NAME[:TAG]',
    repeat: true,
    help: 'Push the image under this name',
  },
  { name: 'no-push', help: 'Do not push; $KANIKO_NO_PUSH says the same' },
  { name: 'tar-path', metavar: 'FILE', values: 'paths', help: 'Write an archive for docker load' },
  { name: 'oci-layout-path', metavar: 'FOLDER', values: 'paths', help: 'Write an OCI layout' },
  { name: 'digest-file', metavar: 'FILE', values: 'paths', help: 'Write the digest to FILE' },
  {
    name: 'image-name-with-digest-file',
    metavar: 'FILE',
    values: 'paths',
    help: 'Write NAME@DIGEST to FILE, a line for each destination',
  },
  {
    name: 'image-name-tag-with-digest-file',
    metavar: 'FILE',
    values: 'paths',
    help: 'Write NAME:TAG@DIGEST to FILE, likewise',
  },
  {
    name: 'compression',
    metavar: 'NAME',
    values: ['gzip', 'zstd'],
    help: 'How layers are compressed: gzip (default) or zstd',
  },
  {
    name: 'compression-level',
    metavar: 'N',
    help: 'How well: 1 to 9 for gzip, 1 to 22 for zstd (default: a balance)',
  },
]

const REGISTRY: Group = [
  {
    name: 'registry-mirror',
    metavar: 'MIRROR',
    repeat: true,
    help: 'Ask MIRROR[/PREFIX] for images of docker.io first; also $KANIKO_REGISTRY_MIRROR',
  },
  {
    name: 'registry-map',
    metavar: 'HOST=MIRROR',
    repeat: true,
    help: 'The same for any registry, several with ";" between; also $KANIKO_REGISTRY_MAP',
  },
  {
    name: 'registry-certificate',
    metavar: 'HOST=FILE',
    repeat: true,
    help: 'Trust this authority, for HOST and all others',
  },
  { name: 'insecure', help: 'Push over plain HTTP where there is no HTTPS' },
  { name: 'skip-tls-verify', help: 'Push without checking certificates' },
  { name: 'insecure-pull', help: 'Pull over plain HTTP where there is no HTTPS' },
  { name: 'skip-tls-verify-pull', help: 'Pull without checking certificates' },
  {
    name: 'insecure-registry',
    metavar: 'HOST',
    repeat: true,
    help: 'Speak plain HTTP, or HTTPS without checking the certificate, to HOST[:PORT]',
  },
  {
    name: 'skip-tls-verify-registry',
    metavar: 'HOST',
    repeat: true,
    help: 'The same as --insecure-registry',
  },
  {
    name: 'kaniko-dir',
    metavar: 'FOLDER',
    values: 'paths',
    help: 'Its .docker/config.json has the credentials (default: $KANIKO_DIR, or /kaniko)',
  },
]

const CACHE: Group = [
  { name: 'cache', help: 'Use results of earlier builds' },
  {
    name: 'cache-repo',
    metavar: 'NAME',
    help: 'With --cache: look for results in this repository, and send them there; oci:FOLDER is a folder',
  },
  { name: 'no-push-cache', help: 'Send no results to --cache-repo' },
]

const LOG: Group = [
  {
    name: 'verbosity',
    short: 'v',
    metavar: 'LEVEL',
    values: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'panic'],
    help: 'Steps from info on, warnings from warn on; trace and debug show where a bug is (default: info)',
  },
  {
    name: 'log-format',
    metavar: 'FORMAT',
    values: ['text', 'color', 'json'],
    help: 'text, color or json (default: color)',
  },
  { name: 'log-timestamp', help: 'Begin lines with the time' },
  { name: 'help', short: 'h', help: 'Show this help' },
]

const RETRIES = 'requests that fail for a passing reason are repeated anyway'
const ALL_CACHED = 'with --cache the results of all steps are kept'
const EXACT = 'what a step changed is found exactly, whatever the mode'

/** What has no meaning here. */
const IDLE: Group = [
  { name: 'cleanup', notice: 'nothing is left behind that would have to be removed' },
  { name: 'single-snapshot', notice: 'the image has a layer for each step that changes files' },
  { name: 'snapshot-mode', metavar: 'MODE', notice: EXACT },
  { name: 'snapshotMode', metavar: 'MODE', notice: `${EXACT}; write --snapshot-mode` },
  { name: 'use-new-run', notice: EXACT },
  { name: 'force', notice: 'outside of containers nothing of the machine is replaced' },
  { name: 'force-build-metadata', notice: 'an instruction that changes no files makes no layer' },
  {
    name: 'ignore-path',
    metavar: 'PATH',
    repeat: true,
    notice: 'mounts of the container are in no layer; what steps write elsewhere is',
  },
  { name: 'ignore-var-run', notice: 'what steps write to /var/run is in the image' },
  { name: 'whitelist-var-run', notice: 'what steps write to /var/run is in the image' },
  { name: 'skip-unused-stages', notice: 'stages that the target does not need are never built' },
  { name: 'cache-ttl', metavar: 'DURATION', notice: 'results do not expire' },
  { name: 'cache-dir', metavar: 'FOLDER', notice: 'base images are kept in the store' },
  { name: 'cache-copy-layers', notice: ALL_CACHED },
  { name: 'cache-run-layers', notice: ALL_CACHED },
  {
    name: 'compressed-caching',
    notice: 'layers are kept uncompressed on disk, and packed in a registry',
  },
  { name: 'push-retry', metavar: 'N', notice: RETRIES },
  { name: 'image-download-retry', metavar: 'N', notice: RETRIES },
  { name: 'image-fs-extract-retry', metavar: 'N', notice: RETRIES },
  { name: 'skip-push-permission-check', notice: 'a registry is asked beside the steps' },
  { name: 'skip-default-registry-fallback', notice: 'a registry is asked after its mirrors' },
].map((flag) => ({ ...flag, help: sentence(flag.notice) }))

/** What is to come. */
const LATER: Group = [
  {
    name: 'registry-client-cert',
    metavar: 'HOST=FILE,FILE',
    repeat: true,
    refusal: 'put client.cert and client.key into /etc/docker/certs.d/HOST',
  },
  {
    name: 'push-ignore-immutable-tag-errors',
    refusal: 'push a tag that is new each time, such as one with the commit',
  },
  {
    name: 'bucket',
    short: 'b',
    metavar: 'NAME',
    refusal: 'fetch the archive first, and give it with --context tar://FILE',
  },
].map((flag) => ({ ...flag, help: sentence(flag.refusal) }))

/** Earlier spellings. */
const EARLIER: Group = [
  { name: 'customPlatform', metavar: 'OS/ARCH', help: 'Write --custom-platform', isHidden: true },
  { name: 'tarPath', metavar: 'FILE', help: 'Write --tar-path', isHidden: true },
]

const GROUPS: Readonly<Record<string, Group>> = {
  'What to build': INPUT,
  Result: RESULT,
  Registries: REGISTRY,
  Cache: CACHE,
  Log: LOG,
  'Accepted without effect, since': IDLE,
  'Refused until it is there; instead': LATER,
  Earlier: EARLIER,
}

/** Every flag of kaniko 1.24, in the order of the help. */
export const KANIKO_FLAGS: readonly KanikoFlag[] = Object.entries(GROUPS).flatMap(
  ([group, flags]) => flags.map((flag) => ({ ...flag, group })),
)

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
