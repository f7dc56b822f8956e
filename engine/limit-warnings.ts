import { checkLimits, type LimitCheck, readGroupSystem } from '#builder/sandbox'
import type { KeptLimits } from '#engine/api'
import type { HostConfig } from '#engine/model'

/** Limits of one controller, and what is said where they cannot be set. */
interface LimitKind {
  readonly controller: LimitCheck['controller']
  readonly fields: readonly (keyof HostConfig)[]
  readonly warning: string
}

const KINDS: readonly LimitKind[] = [
  {
    controller: 'memory',
    fields: ['Memory', 'MemorySwap', 'MemoryReservation', 'MemorySwappiness', 'OomKillDisable'],
    warning:
      'Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation discarded.',
  },
  {
    controller: 'cpu',
    fields: ['CpuShares', 'CpuPeriod', 'CpuQuota', 'NanoCpus'],
    warning:
      'Your kernel does not support CPU cfs quota or the cgroup is not mounted. Limitation discarded.',
  },
  {
    controller: 'cpuset',
    fields: ['CpusetCpus', 'CpusetMems'],
    warning: 'Your kernel does not support cpuset or the cgroup is not mounted. Cpuset discarded.',
  },
  {
    controller: 'pids',
    fields: ['PidsLimit'],
    warning:
      'Your kernel does not support PIDs limit capabilities or the cgroup is not mounted. PIDs limit discarded.',
  },
  {
    controller: 'io',
    fields: [
      ...(['BlkioDeviceReadBps', 'BlkioDeviceWriteBps'] as const),
      ...(['BlkioDeviceReadIOps', 'BlkioDeviceWriteIOps', 'BlkioWeight'] as const),
    ],
    warning:
      'Your kernel does not support block I/O limits or the cgroup is not mounted. Limits discarded.',
  },
]

/** Drops limits that cannot be set here, as rootless daemons do. */
export class LimitWarnings {
  #failing: Promise<ReadonlySet<LimitCheck['controller']>> | undefined

  readonly keep = async (hostConfig: HostConfig): Promise<KeptLimits> => {
    const asked = KINDS.filter(({ fields }) => fields.some((field) => isSet(hostConfig[field])))
    if (asked.length === 0) return { hostConfig, warnings: [] }
    this.#failing ??= failingControllers()
    const failing = await this.#failing
    const dropped = asked.filter(({ controller }) => failing.has(controller))
    const fields = new Set<string>(dropped.flatMap((kind) => kind.fields))
    const kept = Object.entries(hostConfig).filter(([name]) => !fields.has(name))
    return {
      hostConfig: Object.fromEntries(kept) as HostConfig,
      warnings: dropped.map(({ warning }) => warning),
    }
  }
}

function isSet(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0
  // Docker's client says -1 where its user said nothing.
  if (typeof value === 'number') return value > 0
  return value !== undefined && value !== '' && value !== false
}

async function failingControllers(): Promise<ReadonlySet<LimitCheck['controller']>> {
  const checks = await checkLimits(readGroupSystem())
  return new Set(checks.flatMap(({ controller, failure }) => (failure ? [controller] : [])))
}
