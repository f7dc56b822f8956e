import type { BuildOptions } from '#builder'
import { parseCacheFrom, parseCacheTo, splitCsv } from '#buildkit/values'
import { suggestion, usageError } from '#core'
import { PROGRESS_MODES, type ProgressMode } from '../progress/progress.ts'
import type { Shell } from '../terminal/shell.ts'
import { parseAttestations } from './attestation-flags.ts'
import { BUILD_USAGE } from './build-flags.ts'
import { checkOutputs, isPrinted, parseOutputs, toStdout } from './build-outputs.ts'
import { type CacheLimit, parseCacheLimit } from './cache-limit.ts'
import { type Arguments, expectArguments } from './flags.ts'
import { parseSecrets, parseSsh } from './secret-values.ts'
import { parseSign } from './sign-values.ts'
import { parseStepFlags } from './step-values.ts'

/** What the command line of a build asks for. */
export interface BuildRequest {
  readonly options: BuildOptions
  readonly progress: ProgressMode
  /** Choices that the machine made necessary are printed. */
  readonly debug: boolean
  /** Where the time of the build went is printed. */
  readonly timing: boolean
  /** Why steps ran is said; absent: no. */
  readonly explain: ExplainRequest | undefined
  /** The image id is printed in the end. */
  readonly printsId: boolean
  readonly iidfile: string | undefined
  readonly metadataFile: string | undefined
  /** How much the store may take; absent: what files of settings say. */
  readonly cacheLimit: CacheLimit | undefined
  /** A shell is opened where a step has failed, if there is a person to use it. */
  readonly opensShell: boolean
  /** What standard input is read for. */
  readonly stdin: 'context' | 'dockerfile' | undefined
}

/** What is written when the build has ended. */
function written(...files: readonly (string | undefined)[]): Pick<BuildOptions, 'keep'> {
  const keep = files.filter((path) => path !== undefined)
  return keep.length === 0 ? {} : { keep }
}

/** How a build is asked to say why its steps ran. */
export interface ExplainRequest {
  /** It is printed on standard error. */
  readonly isPrinted: boolean
  /** It is written to this file, as JSON. */
  readonly file: string | undefined
}

function explainRequest(args: Arguments): ExplainRequest | undefined {
  const [isPrinted, file] = [args.has('explain'), args.text('explain-file')]
  return isPrinted || file !== undefined ? { isPrinted, file } : undefined
}

const NETWORKS = ['default', 'none', 'host'] as const

/**
 * Turns flags into build options; nothing is read but the environment.
 * @throws {TsbuildError} USAGE, UNSUPPORTED
 */
export function parseBuild(args: Arguments, shell: Pick<Shell, 'env' | 'stdout'>): BuildRequest {
  if (args.positionals.length === 0) {
    throw usageError('the context is missing', 'it is a folder, usually ".": tsbuild [flags] .')
  }
  const [context = ''] = expectArguments(args, { least: 1, most: 1, usage: BUILD_USAGE })
  const file = args.text('file')
  checkContext(context, file)
  const { outputs, tags, insecure } = parseOutputs(args)
  const iidfile = args.text('iidfile')
  const metadataFile = args.text('metadata-file')
  const explainFile = args.text('explain-file')
  checkOutputs(outputs ?? [], { shell, iidfile })
  return {
    options: {
      context,
      ...parseInput(args, shell.env),
      tags,
      labels: labels(args.list('label')),
      noCache: noCache(args),
      ...caches(args),
      ...parseAttestations(args),
      pull: args.has('pull'),
      ...optional('network', network(args.text('network'))),
      ...parseStepFlags(args),
      secrets: parseSecrets(args.list('secret'), shell.env),
      ssh: parseSsh(args.list('ssh'), shell.env),
      ...(args.has('reproducible') ? { reproducible: true } : {}),
      ...(outputs === undefined ? {} : { outputs: outputs.map((one) => toStdout(one, shell)) }),
      ...signing(args),
      ...(args.has('squash') ? { squash: true } : {}),
      ...(args.has('ignore-chown-errors') ? { ignoreChownErrors: true } : {}),
      ...optional('jobs', jobs(args.text('jobs'))),
      ...optional('root', args.text('root')),
      insecureRegistries: [...args.list('insecure-registry'), ...insecure],
      ...written(iidfile, metadataFile, explainFile),
    },
    progress: parseProgress(args, shell.env),
    debug: args.has('debug'),
    timing: args.has('timing'),
    explain: explainRequest(args),
    printsId: isQuiet(args) && outputs?.some(isPrinted) !== true,
    iidfile,
    metadataFile,
    cacheLimit: cacheLimit(args, shell.env),
    opensShell: opensShell(args.text('on-failure')),
    stdin: context === '-' ? 'context' : file === '-' ? 'dockerfile' : undefined,
  }
}

function opensShell(action: string | undefined): boolean {
  if (action === undefined || action === 'shell') return action !== undefined
  throw usageError(`--on-failure ${action}: no such action`, 'write --on-failure shell')
}

/**
 * What a command line says about the Dockerfile: where it is and how to read it. `file` is absent for
 * standard input.
 * @throws {TsbuildError} USAGE
 */
export function parseInput(
  args: Arguments,
  env: Shell['env'],
): Pick<BuildOptions, 'file' | 'target' | 'buildArgs' | 'contexts' | 'platform'> {
  const file = args.text('file')
  return {
    ...optional('file', file === '-' ? undefined : file),
    ...optional('target', args.text('target')),
    buildArgs: buildArgs(args.list('build-arg'), env),
    ...optional('contexts', contexts(args.list('build-context'))),
    ...optional('platform', platforms(args.list('platform'))),
  }
}

/** An object with the field, or without it where there is no value. */
export function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: V })
}

/** `undefined` when none was given. */
function platforms(values: readonly string[]): readonly string[] | undefined {
  return values.length === 0 ? undefined : values.flatMap((value) => value.split(','))
}

function checkContext(context: string, file: string | undefined): void {
  if (context === '') throw usageError('the context must not be empty', `usage: ${BUILD_USAGE}`)
  if (context !== '-' || file !== '-') return
  throw usageError("invalid argument: can't use stdin for both build context and dockerfile")
}

/** `--progress none` says nothing at all. */
function isQuiet(args: Arguments): boolean {
  return args.has('quiet') || args.text('progress') === 'quiet'
}

function contexts(values: readonly string[]): Record<string, string> | undefined {
  if (values.length === 0) return undefined
  const entries = values.map((value) => {
    const at = value.indexOf('=')
    if (at > 0 && at < value.length - 1) return [value.slice(0, at), value.slice(at + 1)] as const
    const hint = 'write --build-context NAME=FOLDER, or NAME=docker-image://IMAGE'
    throw usageError(`invalid context value: ${value}, expected key=value`, hint)
  })
  return Object.fromEntries(entries)
}

/** `K=V`, or `K` for the value that the environment has; an unset one is left out. */
function buildArgs(values: readonly string[], env: Shell['env']): Record<string, string> {
  const entries = values.flatMap((value): readonly (readonly [string, string])[] => {
    const { key, text } = keyValue(value, '--build-arg')
    const given = text ?? env[key]
    return given === undefined ? [] : [[key, given]]
  })
  // As the other tools that honour it: set once, it holds for all of a pipeline.
  const epoch = env.SOURCE_DATE_EPOCH
  const inherited = epoch === undefined ? [] : [['SOURCE_DATE_EPOCH', epoch] as const]
  return Object.fromEntries([...inherited, ...entries])
}

function caches(args: Arguments): Pick<BuildOptions, 'cacheFrom' | 'cacheTo'> {
  const [cacheFrom, cacheTo] = [args.list('cache-from'), args.list('cache-to')]
  return {
    ...(cacheFrom.length === 0 ? {} : { cacheFrom: parseCacheFrom(cacheFrom) }),
    ...(cacheTo.length === 0 ? {} : { cacheTo: parseCacheTo(cacheTo) }),
  }
}

function signing(args: Arguments): Pick<BuildOptions, 'sign'> {
  const values = args.list('sign')
  return values.length === 0 ? {} : { sign: parseSign(values) }
}

/** Steps whose results are not looked up, or whether that goes for all. */
function noCache(args: Arguments): boolean | readonly string[] {
  const filters = args.list('no-cache-filter')
  if (filters.length === 0) return args.has('no-cache')
  if (!args.has('no-cache')) return filters.flatMap(splitCsv).filter((name) => name !== '')
  const hint = '--no-cache is for all steps already'
  throw usageError('--no-cache and --no-cache-filter cannot be used together', hint)
}

/** @throws {TsbuildError} USAGE */
export function labels(values: readonly string[]): Record<string, string> {
  const entries = values.map((value) => {
    const { key, text } = keyValue(value, '--label')
    return [key, text ?? ''] as const
  })
  return Object.fromEntries(entries)
}

function keyValue(value: string, flag: string): { key: string; text: string | undefined } {
  const at = value.indexOf('=')
  const key = at < 0 ? value : value.slice(0, at)
  if (key.trim() === '') throw usageError(`invalid ${flag} "${value}"`, `write ${flag} KEY=VALUE`)
  return { key, text: at < 0 ? undefined : value.slice(at + 1) }
}

function cacheLimit(args: Arguments, env: Shell['env']): CacheLimit | undefined {
  const text = args.text('cache-max')
  if (text !== undefined) return parseCacheLimit(text, '--cache-max')
  const { TSBUILD_CACHE_MAX } = env
  return TSBUILD_CACHE_MAX ? parseCacheLimit(TSBUILD_CACHE_MAX, 'TSBUILD_CACHE_MAX') : undefined
}

/** @throws {TsbuildError} USAGE */
export function network(text: string | undefined): (typeof NETWORKS)[number] | undefined {
  if (text === undefined) return undefined
  const found = NETWORKS.find((name) => name === text)
  if (found !== undefined) return found
  throw usageError(`invalid network mode "${text}"`, choices(text, NETWORKS))
}

/**
 * The view that `--quiet`, `--progress` or `$BUILDKIT_PROGRESS` asks for, in this order.
 * @throws {TsbuildError} USAGE
 */
export function parseProgress(args: Arguments, env: Shell['env']): ProgressMode {
  const written = args.text('progress') ?? ''
  if (args.has('quiet')) {
    if (['', 'auto', 'quiet', 'none'].includes(written)) return 'quiet'
    throw usageError(
      `progress=${written} and quiet cannot be used together`,
      'leave out one of them',
    )
  }
  const text = written === '' ? (env.BUILDKIT_PROGRESS ?? '') : written
  if (text === '') return 'auto'
  if (text === 'none') return 'quiet'
  const found = PROGRESS_MODES.find((name) => name === text)
  if (found !== undefined) return found
  throw usageError(`invalid progress mode "${text}"`, choices(text, PROGRESS_MODES))
}

function choices(text: string, all: readonly string[]): string {
  const similar = suggestion(text, all)
  return similar === undefined ? `choose one of ${all.join(', ')}` : `did you mean ${similar}?`
}

function jobs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text)
  throw usageError(`invalid number of jobs "${text}"`, 'write a whole number from 1 to 9999')
}
