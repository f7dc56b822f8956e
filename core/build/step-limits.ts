/** What all processes of a step may use together. Absent: as much as the builder. */
export interface StepResources {
  /** Bytes. */
  readonly memory?: number
  /** Bytes of memory and swap together; -1: unlimited. */
  readonly memorySwap?: number
  /** Bytes that are left to them when memory is short. */
  readonly memoryReservation?: number
  /** How readily the kernel swaps them out, 0 to 100; without effect on control groups of the second version. */
  readonly memorySwappiness?: number
  /** They wait where they would be killed for want of memory; only with control groups of the first version. */
  readonly waitsForMemory?: boolean
  /** Weight against others, 1024 being the usual one. */
  readonly cpuShares?: number
  /** Microseconds of all CPUs together in each period; -1: unlimited. */
  readonly cpuQuota?: number
  /** Microseconds; default: 100,000. */
  readonly cpuPeriod?: number
  /** `0-2,7`. */
  readonly cpusetCpus?: string
  readonly cpusetMems?: string
  /** How many processes and threads there may be; -1: unlimited. */
  readonly pids?: number
  readonly io?: readonly IoLimit[]
  /** Weight of what they read and write against others, 10 to 1000. */
  readonly ioWeight?: number
  /** Other weights for devices. */
  readonly ioDeviceWeights?: readonly IoDeviceWeight[]
}

/** Weight of what is read from and written to a device, against others. */
export interface IoDeviceWeight {
  /** Path of a block device of this machine. */
  readonly device: string
  /** 10 to 1000. */
  readonly weight: number
}

/** How fast a device may be read or written. */
export interface IoLimit {
  readonly kind: IoLimitKind
  /** Path of a block device of this machine. */
  readonly device: string
  /** Bytes or operations a second. */
  readonly rate: number
}

/** Bytes (`bps`) or operations (`iops`) a second. */
export const IO_LIMIT_KINDS = ['read-bps', 'write-bps', 'read-iops', 'write-iops'] as const

/** Which rate is limited. */
export type IoLimitKind = (typeof IO_LIMIT_KINDS)[number]

/** One limit of each process, as setrlimit(2) has it; -1: unlimited. */
export interface Ulimit {
  readonly name: UlimitName
  readonly soft: number
  readonly hard: number
}

/** Stands for this machine's address in an extra host. */
export const HOST_GATEWAY = 'host-gateway'

/** In the order of their numbers, from 0. Spec: setrlimit(2) */
export const ULIMIT_NAMES = [
  'cpu',
  'fsize',
  'data',
  'stack',
  'core',
  'rss',
  'nproc',
  'nofile',
  'memlock',
  'as',
  'locks',
  'sigpending',
  'msgqueue',
  'nice',
  'rtprio',
  'rttime',
] as const

/** Name of a limit, as in `--ulimit`. */
export type UlimitName = (typeof ULIMIT_NAMES)[number]

/** How many processes and threads a step may have that asks for no limit, where they can be counted. */
export const STEP_PROCESSES = 2048
