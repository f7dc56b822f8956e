import { DEFAULT_STEP_SETTINGS, type StepSettings } from '#builder/plan'
import { HOST_GATEWAY, type StepResources, TsbuildError, ULIMIT_NAMES, type Ulimit } from '#core'
import type { BuildOptions } from './build-options.ts'

const ENTITLEMENTS: readonly string[] = [
  ...['network.host', 'security.insecure', 'buildx.local.delete'],
]

/** What is said about RUN steps, with mistakes found. @throws {TsbuildError} USAGE */
export function resolveSteps(options: BuildOptions): StepSettings {
  const { allow = [], extraHosts = [], shmSize, ulimits = [], resources = {} } = options
  for (const entitlement of allow) {
    if (!ENTITLEMENTS.includes(entitlement)) {
      throw invalidOptionError(
        `invalid entitlement ${JSON.stringify(entitlement)}`,
        ENTITLEMENTS.join(', '),
      )
    }
  }
  for (const [host, address] of extraHosts) checkHost(host, address)
  for (const limit of ulimits) checkUlimit(limit)
  checkResources(resources)
  if (shmSize !== undefined) checkWhole('shm-size', shmSize, 1)
  const rights = allow.filter((right) => right !== 'buildx.local.delete')
  return {
    allow: rights,
    extraHosts,
    shmSize: shmSize ?? DEFAULT_STEP_SETTINGS.shmSize,
    ulimits: [...new Map(ulimits.map((limit) => [limit.name, limit])).values()],
    resources,
    cgroupParent: checkedParent(options.cgroupParent),
  }
}

/** Both end up in /etc/hosts, where white space would make more of them. */
function checkHost(host: string, address: string): void {
  const isHost = /^[^\s#:]+$/.test(host)
  if (isHost && (address === HOST_GATEWAY || /^[0-9a-fA-F.:]+(%\w+)?$/.test(address))) return
  throw invalidOptionError(
    `invalid extra host "${host}:${address}"`,
    'write HOST:ADDRESS, the latter in numbers, or HOST:host-gateway',
  )
}

function checkUlimit({ name, soft, hard }: Ulimit): void {
  if (!ULIMIT_NAMES.includes(name)) {
    throw invalidOptionError(
      `invalid ulimit type: ${name}`,
      `choose one of ${ULIMIT_NAMES.join(', ')}`,
    )
  }
  for (const limit of [soft, hard]) checkWhole(`ulimit ${name}`, limit, -1)
  if (hard >= 0 && (soft > hard || soft < 0)) {
    const message = 'ulimit soft limit must be less than or equal to hard limit'
    throw invalidOptionError(`${message}: ${soft} > ${hard}`, `write ${name}=SOFT:HARD`)
  }
}

function checkResources(resources: StepResources): void {
  const { memory, memorySwap, cpuShares, cpuQuota, cpuPeriod, pids } = resources
  if (memory !== undefined) checkWhole('memory', memory, 1)
  if (memorySwap !== undefined) checkWhole('memory-swap', memorySwap, -1)
  if (cpuShares !== undefined) checkWhole('cpu-shares', cpuShares, 2)
  if (cpuQuota !== undefined) checkWhole('cpu-quota', cpuQuota, -1)
  if (cpuPeriod !== undefined) checkWhole('cpu-period', cpuPeriod, 1)
  if (pids !== undefined) checkWhole('pids-limit', pids, -1)
  for (const list of [resources.cpusetCpus, resources.cpusetMems]) {
    if (list === undefined || /^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(list)) continue
    throw invalidOptionError(
      `invalid list of CPUs or memory nodes "${list}"`,
      'write it like 0-2,7',
    )
  }
  for (const { kind, rate } of resources.io ?? []) checkWhole(`device-${kind}`, rate, 1)
  const isTooSmall = memorySwap !== undefined && memorySwap >= 0 && memorySwap < (memory ?? 0)
  if (memorySwap !== undefined && (memory === undefined || isTooSmall)) {
    throw invalidOptionError(
      'memory-swap needs a smaller memory limit beside it',
      'it is memory and swap together',
    )
  }
}

function checkWhole(what: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return
  throw invalidOptionError(`invalid ${what}: ${value}`, `it is a whole number of at least ${least}`)
}

function checkedParent(parent: string | undefined): string | undefined {
  if (parent === undefined || !parent.split('/').includes('..')) return parent
  throw invalidOptionError(
    `invalid cgroup-parent ${JSON.stringify(parent)}`,
    'it is a path without ..',
  )
}

function invalidOptionError(message: string, hint: string): TsbuildError {
  return new TsbuildError(message, { code: 'USAGE', hint })
}
