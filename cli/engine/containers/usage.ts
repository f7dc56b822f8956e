import type { Json } from '#core'
import { type Fields, objectOf, objectsOf } from '../format/json.ts'

/** What a container uses; sizes in bytes. */
export interface Usage {
  readonly id: string
  readonly name: string
  /** Percent of one processor. */
  readonly cpu: number
  readonly memory: number
  readonly limit: number
  readonly received: number
  readonly sent: number
  readonly read: number
  readonly written: number
  readonly pids: number
}

/** The figures of a message of GET /containers/{id}/stats, computed as docker does. */
export function usageOf(message: Json): Usage {
  const stats = objectOf(message)
  const memory = objectOf(stats.memory_stats)
  const networks = Object.values(objectOf(stats.networks)).map(objectOf)
  const { io_service_bytes_recursive: io } = objectOf(stats.blkio_stats)
  const operations = objectsOf(io)
  const bytes = (kind: string): number =>
    sum(operations.filter(({ op }) => String(op).toLowerCase() === kind).map(({ value }) => value))
  return {
    id: String(stats.id ?? ''),
    name: String(stats.name ?? '').replace(/^\//, ''),
    cpu: percentOf(objectOf(stats.cpu_stats), objectOf(stats.precpu_stats)),
    memory: usedMemory(memory),
    limit: numberOf(memory.limit),
    received: sum(networks.map(({ rx_bytes }) => rx_bytes)),
    sent: sum(networks.map(({ tx_bytes }) => tx_bytes)),
    read: bytes('read'),
    written: bytes('write'),
    pids: numberOf(objectOf(stats.pids_stats).current),
  }
}

function percentOf(now: Fields, before: Fields): number {
  const used = (stats: Fields): Fields => objectOf(stats.cpu_usage)
  const own = numberOf(used(now).total_usage) - numberOf(used(before).total_usage)
  const all = numberOf(now.system_cpu_usage) - numberOf(before.system_cpu_usage)
  const { percpu_usage: each } = used(now)
  const online = numberOf(now.online_cpus) || (Array.isArray(each) ? each.length : 0)
  return own > 0 && all > 0 ? (own / all) * online * 100 : 0
}

/** What is only cached counts as free: in both versions of control groups. */
function usedMemory({ usage, stats }: Fields): number {
  const { total_inactive_file, inactive_file } = objectOf(stats)
  const used = numberOf(usage)
  const cached = numberOf(total_inactive_file ?? inactive_file)
  return cached < used ? used - cached : used
}

function numberOf(value: Json | undefined): number {
  return typeof value === 'number' ? value : 0
}

function sum(values: readonly (Json | undefined)[]): number {
  return values.reduce<number>((total, value) => total + numberOf(value), 0)
}
