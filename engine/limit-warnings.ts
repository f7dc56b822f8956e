import { checkLimits, type LimitCheck, readGroupSystem } from '#builder/sandbox'
import type { JsonObject } from '#core'
import type { KeptLimits } from '#engine/containers'
import type { HostConfig } from '#engine/model'

/** What is set of one controller, and what is said where that cannot be. Spec: moby, `verifyPlatformContainerResources` */
interface LimitKind {
  readonly controller: LimitCheck['controller']
  readonly fields: readonly (keyof HostConfig)[]
  readonly warning: string
  /** The first version of control groups has it with no kernel of today, or in other files than docker looks for. */
  readonly isOfSecondVersion?: boolean
}

const DISCARDED = 'or the cgroup is not mounted. Limitation discarded.'

const KINDS: readonly LimitKind[] = [
  {
    controller: 'memory',
    fields: ['Memory', 'MemorySwap'],
    warning: `Your kernel does not support memory limit capabilities ${DISCARDED}`,
  },
  {
    controller: 'memory',
    fields: ['MemorySwappiness'],
    warning:
      'Your kernel does not support memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded.',
  },
  {
    controller: 'memory',
    fields: ['MemoryReservation'],
    warning: `Your kernel does not support memory soft limit capabilities ${DISCARDED}`,
  },
  {
    controller: 'memory',
    fields: ['OomKillDisable'],
    warning: 'Your kernel does not support OomKillDisable. OomKillDisable discarded.',
  },
  {
    controller: 'pids',
    fields: ['PidsLimit'],
    warning:
      'Your kernel does not support PIDs limit capabilities or the cgroup is not mounted. PIDs limit discarded.',
  },
  {
    controller: 'cpu',
    fields: ['CpuShares'],
    warning:
      'Your kernel does not support CPU shares or the cgroup is not mounted. Shares discarded.',
  },
  {
    controller: 'cpu',
    fields: ['CpuPeriod', 'CpuQuota', 'NanoCpus'],
    warning: 'Your kernel does not support CPU CFS scheduler. CPU period/quota discarded.',
  },
  {
    controller: 'cpuset',
    fields: ['CpusetCpus', 'CpusetMems'],
    warning: 'Your kernel does not support cpuset or the cgroup is not mounted. Cpuset discarded.',
  },
  {
    controller: 'io',
    fields: ['BlkioWeight'],
    warning:
      'Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.',
    isOfSecondVersion: true,
  },
  {
    controller: 'io',
    fields: ['BlkioWeightDevice'],
    warning:
      'Your kernel does not support Block I/O weight_device or the cgroup is not mounted. Weight-device discarded.',
    isOfSecondVersion: true,
  },
  {
    controller: 'io',
    fields: ['BlkioDeviceReadBps'],
    warning: blockWarning('BPS Block I/O read', 'Block I/O BPS read'),
  },
  {
    controller: 'io',
    fields: ['BlkioDeviceWriteBps'],
    warning: blockWarning('BPS Block I/O write', 'Block I/O BPS write'),
  },
  {
    controller: 'io',
    fields: ['BlkioDeviceReadIOps'],
    warning: blockWarning('IOPS Block read', 'Block I/O IOPS read'),
  },
  {
    controller: 'io',
    fields: ['BlkioDeviceWriteIOps'],
    warning: blockWarning('IOPS Block write', 'Block I/O IOPS write'),
  },
]

function blockWarning(kind: string, dropped: string): string {
  return `Your kernel does not support ${kind} limit or the cgroup is not mounted. ${dropped} limit discarded.`
}

/** Controllers without which there are no limits at all: the others are not on every machine. */
const USUAL: readonly LimitCheck['controller'][] = ['memory', 'cpu', 'pids']

/** Drops limits that cannot be set here, as rootless daemons do, and says so. */
export class LimitWarnings {
  #found: Promise<readonly LimitCheck[]> | undefined

  /** What GET /info says of limits. */
  readonly info = async (): Promise<JsonObject> => {
    const failed = await this.#failedChecks()
    const fails = new Set(failed.map(({ controller }) => controller))
    const isOld = failed.some(({ version }) => version === 1)
    return {
      MemoryLimit: !fails.has('memory'),
      SwapLimit: !fails.has('memory'),
      CpuCfsPeriod: !fails.has('cpu'),
      CpuCfsQuota: !fails.has('cpu'),
      CPUShares: !fails.has('cpu'),
      CPUSet: !fails.has('cpuset'),
      PidsLimit: !fails.has('pids'),
      ...(USUAL.every((controller) => fails.has(controller)) && {
        CgroupDriver: 'none',
        Warnings: [`WARNING: Running in rootless-mode without cgroups. ${isOld ? OLD : ALONE}`],
      }),
    }
  }

  readonly keep = async (hostConfig: HostConfig): Promise<KeptLimits> => {
    const asked = KINDS.filter(({ fields }) => fields.some((field) => isSet(hostConfig[field])))
    if (asked.length === 0) return { hostConfig, warnings: [] }
    const checks = await this.#checks()
    const dropped = asked.filter((kind) =>
      checks.some(
        ({ controller, failure, version }) =>
          controller === kind.controller &&
          (failure !== undefined || (kind.isOfSecondVersion === true && version === 1)),
      ),
    )
    const fields = new Set<string>(dropped.flatMap((kind) => kind.fields))
    const kept = Object.entries(hostConfig).flatMap(([name, value]) => {
      if (!fields.has(name)) return [[name, value]]
      return Array.isArray(value) ? [[name, []]] : []
    })
    return {
      hostConfig: Object.fromEntries(kept) as HostConfig,
      warnings: dropped.map(({ warning }) => warning),
    }
  }

  async #failedChecks(): Promise<readonly LimitCheck[]> {
    return (await this.#checks()).filter(({ failure }) => failure !== undefined)
  }

  async #checks(): Promise<readonly LimitCheck[]> {
    this.#found ??= checkLimits(readGroupSystem())
    return await this.#found
  }
}

const OLD = 'To enable cgroups in rootless-mode, you need to boot the system in cgroup v2 mode.'
const ALONE = 'Systemd is required to enable cgroups in rootless-mode.'

/** Clients say 0 or -1 for none. */
function isSet(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0
  if (typeof value === 'number') return value > 0
  return value !== undefined && value !== '' && value !== false
}
