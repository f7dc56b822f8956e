import { usageError } from '#core'
import type { HostConfig, ResourceConfig } from '#engine/model'
import type { Arguments } from '../../arguments/flags.ts'
import { argumentError, bytesOf, integerOf, parseSize, splitPair } from './values.ts'

/** Limits that `create`, `run` and `update` take. @throws {TsbuildError} USAGE */
export function parseLimits(args: Arguments): ResourceConfig {
  return {
    CpuShares: integerOf(args, 'cpu-shares'),
    CpuPeriod: integerOf(args, 'cpu-period'),
    CpuQuota: integerOf(args, 'cpu-quota'),
    CpuRealtimePeriod: integerOf(args, 'cpu-rt-period'),
    CpuRealtimeRuntime: integerOf(args, 'cpu-rt-runtime'),
    CpusetCpus: args.text('cpuset-cpus'),
    CpusetMems: args.text('cpuset-mems'),
    NanoCpus: nanoCpus(args.text('cpus')),
    Memory: bytesOf(args, 'memory'),
    MemoryReservation: bytesOf(args, 'memory-reservation'),
    MemorySwap: args.text('memory-swap') === '-1' ? -1 : bytesOf(args, 'memory-swap'),
    KernelMemory: bytesOf(args, 'kernel-memory'),
    BlkioWeight: integerOf(args, 'blkio-weight'),
    PidsLimit: integerOf(args, 'pids-limit'),
  } as ResourceConfig
}

/** Limits of a new container. @throws {TsbuildError} USAGE */
export function parseResources(args: Arguments): ResourceConfig {
  return {
    ...parseLimits(args),
    CgroupParent: args.text('cgroup-parent') ?? '',
    MemorySwappiness: swappiness(args),
    OomKillDisable: args.has('oom-kill-disable'),
    BlkioWeightDevice: args.list('blkio-weight-device').map(weightOf),
    BlkioDeviceReadBps: args.list('device-read-bps').map(bytesRate),
    BlkioDeviceWriteBps: args.list('device-write-bps').map(bytesRate),
    BlkioDeviceReadIOps: args.list('device-read-iops').map(operationsRate),
    BlkioDeviceWriteIOps: args.list('device-write-iops').map(operationsRate),
    Devices: args
      .list('device')
      .filter((text) => !isQualified(text))
      .map(parseDevice),
    DeviceRequests: deviceRequests(args.list('device').filter(isQualified)),
    DeviceCgroupRules: args.list('device-cgroup-rule').map(checkRule),
    Ulimits: ulimitsOf(args.list('ulimit')),
  } as ResourceConfig
}

const BILLION = 1_000_000_000

function nanoCpus(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = /^\d*\.?\d+$/.test(text) ? Number(text) * BILLION : Number.NaN
  if (!Number.isFinite(value))
    throw argumentError('cpus', text, `failed to parse ${text} as a rational number`)
  const rounded = Math.round(value)
  if (Math.abs(value - rounded) < 1e-3) return rounded
  throw argumentError('cpus', text, 'value is too precise')
}

function swappiness(args: Arguments): number | undefined {
  const value = integerOf(args, 'memory-swappiness')
  if (value === undefined || value === -1) return undefined
  if (value >= 0 && value <= 100) return value
  throw usageError(`invalid value: ${value}. Valid memory swappiness range is 0-100`)
}

function weightOf(text: string): { readonly Path: string; readonly Weight: number } {
  const [path = '', weight = ''] = text.split(':')
  const Weight = Number(weight)
  if (!path.startsWith('/dev/')) throw usageError(`bad format for device path: ${text}`)
  if (/^\d+$/.test(weight) && (Weight === 0 || (Weight >= 10 && Weight <= 1000))) {
    return { Path: path, Weight }
  }
  throw usageError(`invalid weight for device: ${text}`)
}

function rateOf(text: string): readonly [string, string] {
  const [path = '', rate = ''] = text.split(':')
  if (path.startsWith('/dev/') && rate !== '') return [path, rate]
  throw usageError(`bad format: ${text}`, 'write DEVICE:RATE, where the device is a path in /dev')
}

function bytesRate(text: string): { readonly Path: string; readonly Rate: number } {
  const [Path, rate] = rateOf(text)
  return { Path, Rate: parseSize(rate, 'device-read-bps') }
}

function operationsRate(text: string): { readonly Path: string; readonly Rate: number } {
  const [Path, rate] = rateOf(text)
  if (!/^\d+$/.test(rate))
    throw usageError(`invalid rate for device: ${text}`, 'write DEVICE:NUMBER')
  return { Path, Rate: Number(rate) }
}

/** `VENDOR/CLASS=NAME`. Spec: container device interface */
function isQualified(text: string): boolean {
  return /^[A-Za-z][\w.-]*\/[A-Za-z][\w-]*=[\w.:-]+$/.test(text)
}

function deviceRequests(names: readonly string[]): HostConfig['DeviceRequests'] {
  return names.length === 0 ? [] : [{ Driver: 'cdi', DeviceIDs: [...names] }]
}

type Device = NonNullable<HostConfig['Devices']>[number]

/** `HOST[:CONTAINER][:MODE]` */
function parseDevice(text: string): Device {
  const parts = text.split(':')
  const [path = '', second = path, third] = parts
  const isMode = parts.length === 2 && /^[rwm]+$/.test(second)
  const target = isMode ? path : second
  const mode = third ?? (isMode ? second : 'rwm')
  if (parts.length > 3) throw argumentError('device', text, `bad format for path: ${text}`)
  if (!target.startsWith('/'))
    throw argumentError('device', text, `${target} is not an absolute path`)
  if (!/^[rwm]{1,3}$/.test(mode)) throw argumentError('device', text, `bad mode specified: ${mode}`)
  return { PathOnHost: path, PathInContainer: target, CgroupPermissions: mode }
}

function checkRule(rule: string): string {
  if (/^[acb] (?:\d+|\*):(?:\d+|\*) [rwm]{1,3}$/.test(rule)) return rule
  throw argumentError('device-cgroup-rule', rule, `invalid device cgroup format '${rule}'`)
}

const ULIMITS: ReadonlySet<string> = new Set(
  'core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(
    ' ',
  ),
)

type Ulimit = NonNullable<HostConfig['Ulimits']>[number]

/** By their names, the last of each. */
function ulimitsOf(texts: readonly string[]): readonly Ulimit[] {
  const limits = new Map(texts.map(parseUlimit).map((limit) => [limit.Name ?? '', limit] as const))
  return [...limits].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, limit]) => limit)
}

/** `NAME=SOFT[:HARD]` */
function parseUlimit(text: string): Ulimit {
  const [name, value] = splitPair(text)
  if (!text.includes('=')) throw argumentError('ulimit', text, `invalid ulimit argument: ${text}`)
  if (!ULIMITS.has(name)) throw argumentError('ulimit', text, `invalid ulimit type: ${name}`)
  const limits = value.split(':')
  const [soft = '', hard = soft] = limits
  if (limits.length > 2 || !/^-?\d+$/.test(soft) || !/^-?\d+$/.test(hard)) {
    throw argumentError('ulimit', text, 'too many limit value arguments, or no numbers')
  }
  const [Soft, Hard] = [Number(soft), Number(hard)]
  if (Hard !== -1 && (Soft === -1 || Soft > Hard)) {
    throw argumentError(
      'ulimit',
      text,
      `ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`,
    )
  }
  return { Name: name, Soft, Hard }
}
