import { cpus, totalmem } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import type { ContainerUsage } from '#builder/sandbox'
import type { Json, JsonObject } from '#core'
import type { Container } from '#engine/containers'
import { NO_TIME, now } from '#engine/model'
import { systemCpuTime } from '../facts/cpu-time.ts'
import { networkCounters } from '../facts/network-counters.ts'

/** Milliseconds between two documents. */
const INTERVAL = 1000

/** Which documents are wanted. */
export interface StatsQuery {
  readonly stream: boolean
  /** Without one to compare with, at once. */
  readonly oneShot: boolean
  readonly signal: AbortSignal
}

/** What was counted at one moment. */
interface Sample {
  readonly read: string
  /** Of its program; 0: it does not run. */
  readonly pid: number
  readonly usage: ContainerUsage
  /** Nanoseconds of all CPUs of this machine. */
  readonly system: number
}

const NOTHING: Sample = { read: NO_TIME, pid: 0, usage: {}, system: 0 }

/** The documents of GET /containers/{id}/stats, one a second while the container runs. */
export async function* statsOf(
  container: Container,
  { stream, oneShot, signal }: StatsQuery,
): AsyncGenerator<Json> {
  let last = NOTHING
  if (!stream && !oneShot) {
    last = sample(container)
    await pause(signal)
  }
  while (!signal.aborted) {
    const current = sample(container)
    yield statsDocument(container, current, last)
    if (!stream || !container.isRunning) return
    last = current
    await pause(signal)
  }
}

async function pause(signal: AbortSignal): Promise<void> {
  await delay(INTERVAL, undefined, { signal }).catch(() => undefined)
}

/** A container that does not run uses nothing. */
function sample(container: Container): Sample {
  const { pid } = container.record.state
  const usage = pid === 0 ? {} : container.process().usage()
  return { read: now(), pid, usage, system: systemCpuTime() }
}

function statsDocument(container: Container, current: Sample, last: Sample): JsonObject {
  const { usage } = current
  return {
    id: container.id,
    name: `/${container.name}`,
    read: current.read,
    preread: last.read,
    pids_stats: limitedCount(usage.pids),
    blkio_stats: blockDocument(usage.io),
    num_procs: 0,
    storage_stats: {},
    cpu_stats: cpuDocument(current),
    precpu_stats: cpuDocument(last),
    memory_stats: memoryDocument(usage.memory),
    networks: networkCounters(current.pid),
    os_type: 'linux',
  }
}

function limitedCount(pids: ContainerUsage['pids']): JsonObject {
  if (pids === undefined) return {}
  return { current: pids.current, ...(pids.limit === undefined ? {} : { limit: pids.limit }) }
}

function cpuDocument({ usage: { cpu }, system }: Sample): JsonObject {
  const throttling = cpu?.throttling
  return {
    cpu_usage: {
      total_usage: cpu?.total ?? 0,
      ...(cpu?.perCpu === undefined ? {} : { percpu_usage: cpu.perCpu }),
      usage_in_kernelmode: cpu?.system ?? 0,
      usage_in_usermode: cpu?.user ?? 0,
    },
    ...(system === 0 ? {} : { system_cpu_usage: system, online_cpus: cpus().length }),
    throttling_data: {
      periods: throttling?.periods ?? 0,
      throttled_periods: throttling?.throttledPeriods ?? 0,
      throttled_time: throttling?.throttledTime ?? 0,
    },
  }
}

function memoryDocument(memory: ContainerUsage['memory']): JsonObject {
  if (memory === undefined) return {}
  return {
    usage: memory.usage,
    ...(memory.peak === undefined ? {} : { max_usage: memory.peak }),
    ...(memory.failures === undefined || memory.failures === 0 ? {} : { failcnt: memory.failures }),
    stats: memoryCounters(memory.stats),
    limit: memory.limit ?? totalmem(),
  }
}

/** What docker tells of the first version of control groups, of the group itself and of all below it. */
const COUNTERS = new Set([
  ...['cache', 'rss', 'rss_huge', 'mapped_file', 'dirty', 'writeback'],
  ...['pgpgin', 'pgpgout', 'pgfault', 'pgmajfault', 'unevictable'],
  ...['inactive_anon', 'active_anon', 'inactive_file', 'active_file'],
  ...['hierarchical_memory_limit', 'hierarchical_memsw_limit'],
])

/** Kernels count more with each version. */
function memoryCounters(stats: Readonly<Record<string, number>>): JsonObject {
  const isOfFirstVersion = stats.total_cache !== undefined
  if (!isOfFirstVersion) return { ...stats }
  const told = Object.entries(stats).filter(([name]) => COUNTERS.has(name.replace(/^total_/, '')))
  return Object.fromEntries(told)
}

function blockDocument(io: ContainerUsage['io']): JsonObject {
  const entries = (counts: NonNullable<ContainerUsage['io']>['bytes'] = []): Json =>
    counts.map(({ major, minor, operation, value }) => ({ major, minor, op: operation, value }))
  return {
    io_service_bytes_recursive: entries(io?.bytes),
    io_serviced_recursive: entries(io?.operations),
    io_queue_recursive: [],
    io_service_time_recursive: [],
    io_wait_time_recursive: [],
    io_merged_recursive: [],
    io_time_recursive: [],
    sectors_recursive: [],
  }
}
