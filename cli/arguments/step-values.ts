import type { BuildOptions } from '#builder'
import { parseHost, parseUlimit } from '#buildkit/values'
import {
  IO_LIMIT_KINDS,
  type IoLimit,
  type IoLimitKind,
  type IsolationChoice,
  parseByteSize,
  type StepResources,
  usageError,
} from '#core'
import type { Arguments } from './flags.ts'

type StepOptions = Pick<
  BuildOptions,
  | 'allow'
  | 'extraHosts'
  | 'shmSize'
  | 'ulimits'
  | 'resources'
  | 'cgroupParent'
  | 'isolation'
  | 'runtime'
  | 'snapshotter'
  | 'snapshotSize'
>

/** Reads `STEP_FLAGS`; names and ranges are checked by the build. @throws {TsbuildError} USAGE */
export function parseStepFlags(args: Arguments): StepOptions {
  const shmSize = size(args, 'shm-size')
  const cgroupParent = args.text('cgroup-parent')
  const resources = parseResources(args)
  const given: { -readonly [K in keyof StepOptions]: StepOptions[K] } = {}
  if (args.list('allow').length > 0) given.allow = args.list('allow') as BuildOptions['allow'] & {}
  if (args.list('add-host').length > 0) given.extraHosts = args.list('add-host').map(parseHost)
  if (shmSize !== undefined) given.shmSize = shmSize
  if (args.list('ulimit').length > 0) given.ulimits = args.list('ulimit').map(parseUlimit)
  if (Object.keys(resources).length > 0) given.resources = resources
  const isolation = args.text('isolation')
  if (isolation !== undefined) given.isolation = isolation as IsolationChoice
  const runtime = args.text('runtime')
  if (runtime !== undefined) given.runtime = runtime
  if (cgroupParent !== undefined) given.cgroupParent = cgroupParent
  return { ...given, ...parseSnapshotter(args.text('snapshotter')) }
}

/** `KIND[,size=SIZE]` */
function parseSnapshotter(text: string | undefined): StepOptions {
  if (text === undefined) return {}
  const [kind, setting, ...more] = text.split(',')
  const snapshotter = kind as BuildOptions['snapshotter'] & {}
  if (setting === undefined) return { snapshotter }
  const [key, value = ''] = setting.split('=')
  const snapshotSize = parseByteSize(value)
  if (key === 'size' && snapshotSize !== undefined && more.length === 0) {
    return { snapshotter, snapshotSize }
  }
  throw usageError(`invalid --snapshotter "${text}"`, 'write it like overlay-tmpfs,size=4g')
}

function parseResources(args: Arguments): StepResources {
  const io = IO_LIMIT_KINDS.flatMap((kind) => {
    return args.list(`device-${kind}`).map((value) => parseIoLimit(kind, value))
  })
  const found: { -readonly [K in keyof StepResources]: StepResources[K] | undefined } = {
    memory: size(args, 'memory'),
    memorySwap: size(args, 'memory-swap'),
    cpuShares: whole(args, 'cpu-shares'),
    cpuPeriod: whole(args, 'cpu-period'),
    cpuQuota: whole(args, 'cpu-quota'),
    cpusetCpus: args.text('cpuset-cpus'),
    cpusetMems: args.text('cpuset-mems'),
    pids: whole(args, 'pids-limit'),
    io: io.length === 0 ? undefined : io,
  }
  const given = Object.entries(found).filter(([, value]) => value !== undefined)
  return Object.fromEntries(given) as StepResources
}

/** `DEVICE:RATE`, a size for bytes. */
function parseIoLimit(kind: IoLimitKind, value: string): IoLimit {
  const [, device, text = ''] = /^(\/.+):([^:]+)$/.exec(value) ?? []
  const rate = kind.endsWith('-bps') ? parseByteSize(text) : wholeNumber(text)
  if (device !== undefined && rate !== undefined) return { kind, device, rate }
  const example = kind.endsWith('-bps') ? '/dev/sda:10m' : '/dev/sda:1000'
  throw usageError(`invalid --device-${kind} "${value}"`, `write it like ${example}`)
}

function size(args: Arguments, flag: string): number | undefined {
  const text = args.text(flag)
  if (text === undefined) return undefined
  const bytes = text === '-1' ? -1 : parseByteSize(text)
  if (bytes !== undefined) return bytes
  throw usageError(`invalid --${flag} "${text}"`, `write it like --${flag}=512m`)
}

function whole(args: Arguments, flag: string): number | undefined {
  const text = args.text(flag)
  if (text === undefined) return undefined
  const number = wholeNumber(text)
  if (number !== undefined) return number
  throw usageError(`invalid --${flag} "${text}"`, 'write a whole number')
}

function wholeNumber(text: string): number | undefined {
  return /^-?\d{1,15}$/.test(text) ? Number(text) : undefined
}
