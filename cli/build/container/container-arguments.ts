import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { ContainerOptions } from '#builder'
import {
  type BindMount,
  ioError,
  parseByteSize,
  type StepResources,
  type TmpfsMount,
  unsupportedError,
  usageError,
} from '#core'
import type { Arguments } from '../../arguments/flags.ts'
import type { Shell } from '../../terminal/shell.ts'

/** The container of a command line. @throws {TsbuildError} USAGE, UNSUPPORTED */
export function parseContainer(
  args: Arguments,
  { env }: Pick<Shell, 'env'>,
): Omit<ContainerOptions, 'terminal'> {
  const [image, ...command] = args.positionals
  if (image === undefined) {
    throw usageError('no image is named', 'usage: tsbuild run [flags] IMAGE [COMMAND] [ARG…]')
  }
  const entrypoint = args.text('entrypoint')
  return {
    image,
    args: command,
    platform: args.text('platform'),
    entrypoint: entrypoint === undefined ? undefined : [entrypoint],
    env: [...args.list('env-file').flatMap(readEnvFile), ...args.list('env')].map((entry) =>
      withValue(entry, env),
    ),
    user: args.text('user'),
    workdir: args.text('workdir'),
    ...optionalHostname(args.text('hostname')),
    network: networkOf(args.text('network')),
    privileged: args.has('privileged'),
    init: args.has('init'),
    mounts: [...args.list('volume').flatMap(parseVolume), ...args.list('tmpfs').map(parseTmpfs)],
    stdin: args.has('interactive') ? 'pipe' : 'empty',
  }
}

function optionalHostname(hostname: string | undefined): Pick<ContainerOptions, 'hostname'> {
  return hostname === undefined ? {} : { hostname }
}

/** A name alone is that of a variable here; where there is none, the image's is left out. */
function withValue(entry: string, env: Shell['env']): string {
  if (entry.includes('=')) return entry
  const value = env[entry]
  return value === undefined ? entry : `${entry}=${value}`
}

function readEnvFile(path: string): readonly string[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw ioError(`read --env-file ${path}`, cause)
  }
  const lines = text.split(/\r?\n/).map((line) => line.trimStart())
  return lines.filter((line) => line !== '' && !line.startsWith('#')).map(checkedVariable)
}

function checkedVariable(entry: string): string {
  const name = entry.split('=', 1)[0] ?? ''
  if (name !== '' && !/\s/.test(name)) return entry
  throw usageError(`invalid variable ${JSON.stringify(entry)}`, 'write NAME=VALUE')
}

const NETWORKS = { default: 'default', bridge: 'default', none: 'none', host: 'host' } as const

function networkOf(text = 'default'): (typeof NETWORKS)[keyof typeof NETWORKS] {
  const found = Object.entries(NETWORKS).find(([name]) => name === text)
  if (found !== undefined) return found[1]
  throw unsupportedError(
    `--network ${text}: there are no networks of that name`,
    'use bridge, none or host',
  )
}

/** A path alone has a volume of its own in docker, which is gone with the container: it is writable in any case. */
function parseVolume(text: string): readonly BindMount[] {
  const [source = '', target, options = ''] = text.split(':')
  if (target === undefined) return []
  if (!target.startsWith('/') || source === '') throw volumeError(text)
  const unknown = options.split(',').find((option) => !VOLUME_OPTIONS.has(option))
  if (unknown !== undefined) throw volumeError(text)
  if (!/^[./~]/.test(source)) {
    const hint = `name a folder of this machine: ./${source}:${target}`
    throw unsupportedError(`--volume ${text}: there are no volumes with names`, hint)
  }
  const readonly = options.split(',').includes('ro')
  return [{ type: 'bind', source: resolve(source), target, readonly }]
}

const VOLUME_OPTIONS: ReadonlySet<string> = new Set([
  '',
  'ro',
  'rw',
  'z',
  'Z',
  'rprivate',
  'private',
])

function volumeError(text: string): Error {
  return usageError(
    `invalid --volume ${JSON.stringify(text)}`,
    'write FOLDER:/PATH or FOLDER:/PATH:ro',
  )
}

function parseTmpfs(text: string): TmpfsMount {
  const [target = '', options = ''] = text.split(':')
  if (!target.startsWith('/')) {
    throw usageError(`invalid --tmpfs ${JSON.stringify(text)}`, 'write /PATH or /PATH:size=SIZE')
  }
  const size = /(?:^|,)size=([^,]+)/.exec(options)?.[1]
  const bytes = size === undefined ? undefined : parseByteSize(size)
  if (size !== undefined && bytes === undefined) {
    throw usageError(`invalid size of --tmpfs ${JSON.stringify(size)}`, 'write it like 64m')
  }
  return { type: 'tmpfs', target, ...(bytes === undefined ? {} : { size: bytes }) }
}

/** Microseconds in which processors are counted. */
const PERIOD = 100_000

/** What `--cpus` limits. @throws {TsbuildError} USAGE */
export function parseCpus(text: string | undefined): StepResources {
  if (text === undefined) return {}
  const cpus = Number(text)
  if (cpus > 0 && Number.isFinite(cpus)) {
    return { cpuQuota: Math.round(cpus * PERIOD), cpuPeriod: PERIOD }
  }
  throw usageError(`invalid --cpus ${JSON.stringify(text)}`, 'write a number like 1.5')
}
