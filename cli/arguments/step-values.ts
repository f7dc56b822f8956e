import type { BuildOptions } from '#builder'
import { parseByteSize, type StepResources, type Ulimit } from '#core'
import { type Arguments, type Flag, usageError } from './flags.ts'

/** Flags about what RUN steps may do and use. */
export const STEP_FLAGS: readonly Flag[] = [
  {
    name: 'allow',
    metavar: 'RIGHT',
    repeat: true,
    help: 'Let the Dockerfile use network.host or security.insecure',
  },
  { name: 'add-host', metavar: 'HOST:IP', repeat: true, help: 'Add a line to /etc/hosts' },
  { name: 'shm-size', metavar: 'SIZE', help: 'Size of /dev/shm (default: 64m)' },
  {
    name: 'ulimit',
    metavar: 'NAME=SOFT[:HARD]',
    repeat: true,
    help: 'A limit of each process, such as nofile=1024:4096',
  },
  { name: 'memory', short: 'm', metavar: 'SIZE', help: 'Memory that a step may use' },
  { name: 'memory-swap', metavar: 'SIZE', help: 'Memory and swap together; -1: any amount' },
  { name: 'cpu-shares', short: 'c', metavar: 'N', help: 'Weight of a step, 1024 being usual' },
  { name: 'cpu-period', metavar: 'MICROSECONDS', help: 'Length of a period for --cpu-quota' },
  { name: 'cpu-quota', metavar: 'MICROSECONDS', help: 'CPU time that a step may use a period' },
  { name: 'cpuset-cpus', metavar: 'LIST', help: 'CPUs that a step may run on: 0-2,7' },
  { name: 'cpuset-mems', metavar: 'LIST', help: 'Memory nodes that a step may use: 0,1' },
  {
    name: 'pids-limit',
    metavar: 'N',
    help: 'Processes that a step may have (default: 2048 where that can be limited)',
  },
  { name: 'cgroup-parent', metavar: 'PATH', help: 'Where control groups of steps are made' },
].map((flag) => ({ ...flag, group: 'Limits and rights of RUN steps' }))

type StepOptions = Pick<
  BuildOptions,
  'allow' | 'extraHosts' | 'shmSize' | 'ulimits' | 'resources' | 'cgroupParent'
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
  if (cgroupParent !== undefined) given.cgroupParent = cgroupParent
  return given
}

function parseResources(args: Arguments): StepResources {
  const found: { -readonly [K in keyof StepResources]: StepResources[K] | undefined } = {
    memory: size(args, 'memory'),
    memorySwap: size(args, 'memory-swap'),
    cpuShares: whole(args, 'cpu-shares'),
    cpuPeriod: whole(args, 'cpu-period'),
    cpuQuota: whole(args, 'cpu-quota'),
    cpusetCpus: args.text('cpuset-cpus'),
    cpusetMems: args.text('cpuset-mems'),
    pids: whole(args, 'pids-limit'),
  }
  const given = Object.entries(found).filter(([, value]) => value !== undefined)
  return Object.fromEntries(given) as StepResources
}

/** `HOST:IP`, `HOST=IP`, with an IPv6 address in brackets or not. */
function parseHost(value: string): readonly [string, string] {
  const [, host, address] = /^([^:=]+)[:=]\[?([^\]]+)\]?$/.exec(value) ?? []
  if (host !== undefined && address !== undefined) return [host, address]
  throw usageError(`invalid --add-host "${value}"`, 'write --add-host HOST:IP')
}

/** `NAME=SOFT[:HARD]`; -1 is no limit. */
function parseUlimit(value: string): Ulimit {
  const [, name, soft, hard] = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(value) ?? []
  if (name === undefined || soft === undefined) {
    throw usageError(`invalid ulimit argument: ${value}`, 'write --ulimit NAME=SOFT[:HARD]')
  }
  return { name: name as Ulimit['name'], soft: Number(soft), hard: Number(hard ?? soft) }
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
  if (/^-?\d{1,15}$/.test(text)) return Number(text)
  throw usageError(`invalid --${flag} "${text}"`, 'write a whole number')
}
