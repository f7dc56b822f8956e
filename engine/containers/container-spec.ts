import type { ProcessSpec } from '#builder/sandbox'
import {
  type Mount,
  type StepResources,
  TsbuildError,
  ULIMIT_NAMES,
  type Ulimit,
  type UlimitName,
} from '#core'
import {
  type Config,
  type ContainerRecord,
  type HostConfig,
  hostnameOf,
  variableName,
} from '#engine/model'
import { containerSettings, type FindHolder } from './container-settings.ts'

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
const DEFAULT_SHM = 64 * 1024 * 1024

/** What a container sees besides what its record says. */
export interface SpecInputs {
  /** The root first, then what is mounted into it, parents before children. */
  readonly mounts: readonly [Mount, ...Mount[]]
  readonly network: ProcessSpec['network']
  readonly findHolder: FindHolder
  /** Variables that its network adds. */
  readonly variables: readonly string[]
}

/** What the sandbox runs for a container. @throws {TsbuildError} USAGE */
export function containerSpec(
  record: ContainerRecord,
  { mounts, network, findHolder, variables }: SpecInputs,
): ProcessSpec {
  const { id, config, hostConfig } = record
  const { ShmSize = 0, Init, CgroupParent = '', Ulimits = [] } = hostConfig
  return {
    args: commandOf(config),
    env: environmentOf(record, variables),
    cwd: absolute(config.WorkingDir ?? ''),
    user: config.User ?? '',
    hostname: hostnameOf(id, config),
    ...{ network, mounts },
    extraHosts: [],
    shmSize: ShmSize === 0 ? DEFAULT_SHM : ShmSize,
    security: 'sandbox',
    container: containerSettings(record, findHolder),
    init: Init === true,
    ulimits: Ulimits.map(toUlimit),
    resources: resourcesOf(hostConfig),
    ...(CgroupParent === '' ? {} : { cgroupParent: CgroupParent }),
  }
}

/** @throws {TsbuildError} USAGE where neither image nor request says what to run */
export function commandOf({ Entrypoint = [], Cmd = [] }: Config): readonly string[] {
  const args = [...Entrypoint, ...Cmd]
  if (args.length > 0) return args
  throw new TsbuildError('no command specified', { code: 'USAGE' })
}

/**
 * The environment of its program; a variable without a value is left out.
 * @param added by its network
 */
export function environmentOf(
  { id, config }: Pick<ContainerRecord, 'id' | 'config'>,
  added: readonly string[],
): readonly string[] {
  const { Env = [], Tty } = config
  const own = [
    ...[`PATH=${DEFAULT_PATH}`, `HOSTNAME=${hostnameOf(id, config)}`],
    ...(Tty === true ? ['TERM=xterm'] : []),
    ...added,
  ]
  const variables = new Map(own.map((entry) => [variableName(entry), entry]))
  for (const entry of Env) {
    if (entry.includes('=')) variables.set(variableName(entry), entry)
    else variables.delete(entry)
  }
  return [...variables.values()]
}

function toUlimit({
  Name = '',
  Soft = 0,
  Hard = 0,
}: {
  Name?: string
  Soft?: number
  Hard?: number
}): Ulimit {
  const name = ULIMIT_NAMES.find((one): one is UlimitName => one === Name)
  if (name !== undefined) return { name, soft: Soft, hard: Hard }
  throw new TsbuildError(`invalid ulimit type: ${Name}`, { code: 'USAGE' })
}

/** Microseconds in which processors are counted. */
const PERIOD = 100_000
const NANO = 1_000_000_000

/** Limits as control groups take them; docker's zero is none. */
export function resourcesOf(config: HostConfig): StepResources {
  const { Memory, MemorySwap, CpuShares, CpuQuota, CpuPeriod, NanoCpus, PidsLimit } = config
  const cpus =
    NanoCpus === undefined || NanoCpus === 0
      ? { ...given('cpuQuota', CpuQuota), ...given('cpuPeriod', CpuPeriod) }
      : { cpuQuota: Math.round((NanoCpus / NANO) * PERIOD), cpuPeriod: PERIOD }
  return {
    ...given('memory', Memory),
    ...given('memoryReservation', config.MemoryReservation),
    ...swappinessOf(config.MemorySwappiness),
    ...(config.OomKillDisable === true ? { waitsForMemory: true } : {}),
    ...swapOf(Memory, MemorySwap),
    ...given('cpuShares', CpuShares),
    ...cpus,
    ...(config.CpusetCpus ? { cpusetCpus: config.CpusetCpus } : {}),
    ...(config.CpusetMems ? { cpusetMems: config.CpusetMems } : {}),
    ...(PidsLimit !== undefined && PidsLimit > 0 ? { pids: PidsLimit } : {}),
    ...ioOf(config),
  }
}

/** Clients say -1 for none. */
function swappinessOf(value = -1): Pick<StepResources, 'memorySwappiness'> {
  return value < 0 ? {} : { memorySwappiness: value }
}

/** As much swap as memory where nothing else is said. */
function swapOf(memory = 0, swap = 0): Pick<StepResources, 'memorySwap'> {
  if (swap !== 0) return { memorySwap: swap }
  return memory > 0 ? { memorySwap: 2 * memory } : {}
}

function ioOf(config: HostConfig): Pick<StepResources, 'io' | 'ioWeight' | 'ioDeviceWeights'> {
  const kinds = {
    'read-bps': config.BlkioDeviceReadBps,
    'write-bps': config.BlkioDeviceWriteBps,
    'read-iops': config.BlkioDeviceReadIOps,
    'write-iops': config.BlkioDeviceWriteIOps,
  } as const
  const io = (Object.keys(kinds) as (keyof typeof kinds)[]).flatMap((kind) =>
    (kinds[kind] ?? []).map(({ Path: device = '', Rate: rate = 0 }) => ({ kind, device, rate })),
  )
  const weights = (config.BlkioWeightDevice ?? []).map(({ Path = '', Weight = 0 }) => ({
    device: Path,
    weight: Weight,
  }))
  return {
    ...(io.length === 0 ? {} : { io }),
    ...given('ioWeight', config.BlkioWeight),
    ...(weights.length === 0 ? {} : { ioDeviceWeights: weights }),
  }
}

function given<K extends string>(
  name: K,
  value: number | undefined,
): { readonly [P in K]?: number } {
  return value === undefined || value === 0 ? {} : ({ [name]: value } as { [P in K]: number })
}

function absolute(path: string): string {
  return path.startsWith('/') ? path : `/${path}`
}
