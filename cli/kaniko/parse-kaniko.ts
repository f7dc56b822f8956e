import { join } from 'node:path'
import type { BuildOptions, CacheTarget, LayerCompression, Output } from '#builder'
import { parseBoolean, unsupportedError, usageError } from '#core'
import type { Arguments } from '../arguments/flags.ts'
import type { Shell } from '../terminal/shell.ts'
import { type DigestFile, parseDigestFiles } from './digest-files.ts'
import { type KanikoContext, locateDockerfile, parseKanikoContext } from './kaniko-context.ts'
import { KANIKO_FLAGS } from './kaniko-flags.ts'
import { type LogSettings, parseLogSettings } from './kaniko-log.ts'
import { kanikoRegistries } from './kaniko-registries.ts'

/** What a command line of kaniko asks for. */
export interface KanikoRequest {
  readonly context: KanikoContext
  /** A Dockerfile beside a context that is yet to be fetched. */
  readonly besidePath: string | undefined
  /** Without the context. */
  readonly options: Omit<BuildOptions, 'context'>
  /** Whose registries are insecure ones, beside those of the options: base images, destinations. */
  readonly insecure: { readonly bases: boolean; readonly destinations: boolean }
  readonly digestFiles: readonly DigestFile[]
  /** Folder of docker's config.json. */
  readonly configDir: string
  readonly log: LogSettings
  /** Lines about what was asked for and has no effect. */
  readonly notices: readonly string[]
}

type Environment = Shell['env']

/**
 * Turns kaniko's flags into build options; of the machine it only looks whether the Dockerfile is there.
 * @throws {TsbuildError} USAGE, UNSUPPORTED, REFERENCE_INVALID
 */
export function parseKaniko(args: Arguments, env: Environment): KanikoRequest {
  refuseLater(args)
  if (args.positionals.length > 0) {
    const hint = 'everything is said with flags: --context dir://FOLDER --destination NAME'
    throw usageError(`unexpected argument "${args.positionals[0]}"`, hint)
  }
  const destinations = args.list('destination')
  const noPush = isPushOff(args, env)
  if (!noPush && destinations.length === 0) {
    throw usageError(
      'you must provide --destination, or use --no-push',
      'write --destination REGISTRY/NAME:TAG to push, or --no-push --tar-path FILE for an archive',
    )
  }
  const context = parseKanikoContext(args, env)
  const { file, besidePath } = locateDockerfile(args, context)
  const digestFiles = parseDigestFiles(args, destinations)
  const configDir = configDirOf(args.text('kaniko-dir') || undefined, env)
  return {
    context,
    besidePath,
    options: {
      ...optional('file', file),
      ignoresInFetched: true,
      ...optional('contextFolder', args.text('context-sub-path') || undefined),
      ...optional('target', args.text('target') || undefined),
      ...optional('platform', args.text('custom-platform') || args.text('customPlatform')),
      buildArgs: Object.fromEntries(args.list('build-arg').map((text) => buildArg(text, env))),
      labels: Object.fromEntries(args.list('label').map(label)),
      tags: destinations,
      outputs: outputs(args, noPush),
      noCache: !args.has('cache'),
      ...caches(args),
      keep: [...digestFiles.map(({ path }) => path), configDir],
      ...optional('root', env.TSBUILD_ROOT || undefined),
      ...(args.has('reproducible') ? { reproducible: true } : {}),
      ...kanikoRegistries(args, env),
      insecureRegistries: [
        ...args.list('insecure-registry'),
        ...args.list('skip-tls-verify-registry'),
      ],
    },
    insecure: {
      bases: args.has('insecure-pull') || args.has('skip-tls-verify-pull'),
      destinations: args.has('insecure') || args.has('skip-tls-verify'),
    },
    digestFiles,
    configDir,
    log: parseLogSettings(args),
    notices: notices(args),
  }
}

function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: V })
}

/** @throws {TsbuildError} UNSUPPORTED for what is to come */
function refuseLater(args: Arguments): void {
  for (const { name, refusal } of KANIKO_FLAGS) {
    if (refusal === undefined || args.list(name).every(isOff)) continue
    throw unsupportedError(`--${name} is not supported yet`, refusal)
  }
}

/** Pipelines pass on variables that may be empty. */
function isOff(value: string): boolean {
  return value === '' || value === 'false'
}

function notices(args: Arguments): readonly string[] {
  const idle = KANIKO_FLAGS.flatMap(({ name, notice }) =>
    notice === undefined || args.list(name).length === 0
      ? []
      : [`--${name} has no effect: ${notice}`],
  )
  if (!args.has('cache') || args.text('cache-repo')) return idle
  return [...idle, '--cache uses the store of this machine: keep it between jobs, on a volume']
}

/** The tag of the cache: kaniko's own has one for each result. */
const CACHE_TAG = 'tsbuild'
const FOLDER = 'oci:'

/** As with kaniko, results that cannot be sent fail no build. */
function caches(args: Arguments): Pick<BuildOptions, 'cacheFrom' | 'cacheTo'> {
  const repository = args.text('cache-repo') || undefined
  if (repository === undefined || !args.has('cache')) return {}
  const sent = { mode: 'max', ignoreError: true } as const
  const isSent = !args.has('no-push-cache')
  if (repository.startsWith(FOLDER)) {
    const folder = repository.slice(FOLDER.length)
    const to: readonly CacheTarget[] = [{ type: 'local', dest: folder, ...sent }]
    return { cacheFrom: [{ type: 'local', src: folder }], ...(isSent ? { cacheTo: to } : {}) }
  }
  const place = { type: 'registry', ref: `${repository}:${CACHE_TAG}` } as const
  return { cacheFrom: [place], ...(isSent ? { cacheTo: [{ ...place, ...sent }] } : {}) }
}

/** The environment comes before the flag, as in kaniko. */
function isPushOff(args: Arguments, env: Environment): boolean {
  const said = parseBoolean(env.KANIKO_NO_PUSH ?? '')
  return said ?? args.has('no-push')
}

/** An argument without a value that the environment does not have is empty, as in kaniko. */
function buildArg(text: string, env: Environment): readonly [string, string] {
  const { key, value } = keyValue(text, '--build-arg')
  return [key, value ?? env[key] ?? '']
}

function label(text: string): readonly [string, string] {
  const { key, value } = keyValue(text, '--label')
  if (value === undefined) throw usageError(`invalid --label "${text}"`, 'write --label KEY=VALUE')
  return [key, value]
}

function keyValue(text: string, flag: string): { key: string; value: string | undefined } {
  const [, key = '', value] = /^([^=]*)(?:=(.*))?$/s.exec(text) ?? []
  if (key.trim() === '') throw usageError(`invalid ${flag} "${text}"`, `write ${flag} KEY=VALUE`)
  return { key, value }
}

/** In the store only where the image goes nowhere else. */
function outputs(args: Arguments, noPush: boolean): readonly Output[] {
  const packed = {
    ...compression(args.text('compression')),
    ...level(args.text('compression-level')),
  }
  const tar = args.text('tar-path') || args.text('tarPath')
  const layout = args.text('oci-layout-path')
  const found: readonly Output[] = [
    ...(tar ? [{ type: 'docker' as const, dest: tar, ...packed }] : []),
    ...(layout ? [{ type: 'oci' as const, dest: layout, tar: false, ...packed }] : []),
    ...(noPush ? [] : [{ type: 'registry' as const, ...packed }]),
  ]
  return found.length > 0 ? found : [{ type: 'store' }]
}

function compression(text = ''): { readonly compression?: LayerCompression } {
  if (text === '') return {}
  if (text === 'gzip' || text === 'zstd') return { compression: text }
  throw usageError(`unknown compression "${text}"`, 'choose gzip or zstd')
}

/** kaniko's own default is -1. */
function level(text = ''): { readonly compressionLevel?: number } {
  if (text === '' || text === '-1') return {}
  if (/^\d+$/.test(text)) return { compressionLevel: Number(text) }
  throw usageError(`invalid --compression-level "${text}"`, 'write a number')
}

function configDirOf(kanikoDir: string | undefined, env: Environment): string {
  // kaniko moves its folder, and the credentials with it.
  if (kanikoDir !== undefined) return join(kanikoDir, '.docker')
  return env.DOCKER_CONFIG || join(env.KANIKO_DIR || '/kaniko', '.docker')
}
