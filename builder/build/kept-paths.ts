import { existsSync, readdirSync, realpathSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Settings } from '#builder/options'
import type { WatchedFolders } from '#builder/snapshot'
import { errnoOf } from '#core'
import { certificateFolders } from '#registry-client'

/** Of the image tsbuild and of the kernel; of the network, engines mount the container's own files. */
const OF_THE_CONTAINER = [
  ...['/tsbuild', '/kaniko', '/busybox', '/proc', '/sys', '/dev'],
  ...['/etc/hosts', '/etc/hostname', '/etc/resolv.conf', '/.dockerenv', '/run/.containerenv'],
]

/** Variables that name files which are read while a build runs. */
const VARIABLES = [
  ...['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR', 'SSH_AUTH_SOCK'],
  ...['AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE', 'AWS_WEB_IDENTITY_TOKEN_FILE'],
]

/**
 * What a build needs of a root that steps run in: absolute paths, each also as it is without links. The
 * running program and its libraries are in memory, so the files that it was started from are not needed:
 * they may be in the way of the stage's own.
 * @param context the folder of the build context
 */
export function keptPaths(settings: Settings, context: string): readonly string[] {
  const { root, keep, environment } = settings
  const given = [root, context, process.cwd(), ...keep, ...givenFiles(settings)]
  const known = [
    ...OF_THE_CONTAINER,
    ...ownFolders(),
    ...credentialHelpers(environment.PATH),
    ...VARIABLES.flatMap((name) => environment[name] ?? []),
    dockerConfig(environment),
    join(environment.HOME || '/root', '.aws'),
    ...certificateFolders(environment),
  ]
  const paths = [...given, ...known.filter((path) => existsSync(path))].map((path) => resolve(path))
  const found = new Set(paths.flatMap((path) => [path, realPath(path)]))
  found.delete('/')
  return [...found]
}

/**
 * The kept folders in which a step must change nothing, since what it writes there is in no layer; what is
 * mounted is found out by the snapshots.
 */
export function watchedFolders(settings: Settings, context: string): WatchedFolders {
  const { root, contexts } = settings
  const named = [...contexts.values()].flatMap((source) => {
    return source.kind === 'folder' ? [source.path] : []
  })
  return {
    contexts: [context, ...named].map(realPath),
    tops: ['/tsbuild', '/kaniko', '/busybox'],
    store: realPath(root),
  }
}

/** Code that is loaded when it is first needed, and the packages beside it. */
function ownFolders(): readonly string[] {
  const program = process.argv[1]
  const folders = [packageFolder(dirname(fileURLToPath(import.meta.url)))]
  return program === undefined ? folders : [...folders, packageFolder(dirname(program))]
}

/** The outermost folder of packages that `folder` lies in, or the package itself. */
function packageFolder(folder: string): string {
  const modules = folder.indexOf('/node_modules/')
  if (modules >= 0) return folder.slice(0, modules + '/node_modules'.length)
  let found = folder
  for (let above = folder; above !== '/'; above = dirname(above)) {
    if (existsSync(join(above, 'package.json'))) found = above
  }
  return found
}

/** Programs that docker's configuration may name; a push asks them in the end. */
function credentialHelpers(path: string | undefined): readonly string[] {
  return (path ?? '').split(':').flatMap((folder) => {
    const names = folder === '' ? [] : namesIn(folder)
    return names.flatMap((name) => {
      return name.startsWith('docker-credential-') ? [join(folder, name)] : []
    })
  })
}

function givenFiles(settings: Settings): readonly string[] {
  const { file, contexts, secrets, ssh, outputs, cacheFrom, cacheTo, registryAuthorities } =
    settings
  const caches = [...cacheFrom, ...cacheTo].map(({ location }) => location)
  return [
    ...(file === undefined || file.includes('://') ? [] : [file]),
    ...[...contexts.values()].flatMap((source) => (source.kind === 'folder' ? [source.path] : [])),
    ...Object.values(secrets).flatMap((secret) => ('file' in secret ? [secret.file] : [])),
    ...Object.values(ssh).flat(),
    ...registryAuthorities,
    ...outputs.flatMap((output) => ('dest' in output ? [output.dest] : [])),
    ...caches.flatMap((cache) => (cache.kind === 'folder' ? [cache.folder] : [])),
    ...cacheFrom.flatMap(({ verify }) => verify ?? []),
    ...cacheTo.flatMap(({ sign }) => sign ?? []),
  ].filter((path) => typeof path === 'string')
}

function dockerConfig({ DOCKER_CONFIG, HOME }: Settings['environment']): string {
  return DOCKER_CONFIG || join(HOME || '/root', '.docker')
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return path
    throw cause
  }
}
