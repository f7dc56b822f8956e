import { statSync } from 'node:fs'
import { deviceNumbers } from '#builder/linux'
import {
  type IoDeviceWeight,
  type IoLimit,
  type IoLimitKind,
  type StepResources,
  TsbuildError,
} from '#core'
import type { GroupSetting } from './group-setting.ts'

const DEFAULT_PERIOD = 100_000

/** The settings that limit a group to these resources. */
export function groupSettings(resources: StepResources): readonly GroupSetting[] {
  return [
    ...memorySettings(resources),
    ...cpuSettings(resources),
    ...pidsSettings(resources),
    ...(resources.io ?? []).map(ioSetting),
    ...(resources.ioWeight === undefined ? [] : [weightSetting(resources.ioWeight)]),
    ...(resources.ioDeviceWeights ?? []).map(deviceWeightSetting),
  ]
}

function memorySettings(resources: StepResources): readonly GroupSetting[] {
  const { memory, memorySwap, memoryReservation, memorySwappiness, waitsForMemory } = resources
  const lines = [
    ...(memory === undefined ? [] : limitLines(memory, memorySwap)),
    ...(memoryReservation === undefined ? [] : [reservationLines(memoryReservation)]),
    ...(memorySwappiness === undefined
      ? []
      : [{ v1: [['memory.swappiness', `${memorySwappiness}`]], v2: [] } as const]),
    ...(waitsForMemory === true ? [{ v1: [['memory.oom_control', '1']], v2: [] } as const] : []),
  ]
  return lines.map((one) => ({ controller: 'memory', ...one }))
}

type BothLines = Pick<GroupSetting, 'v1' | 'v2'>

function limitLines(memory: number, memorySwap: number | undefined): readonly BothLines[] {
  const bytes = `${memory}`
  const swap = memorySwap === undefined || memorySwap < 0 ? 'max' : `${memorySwap - memory}`
  return [
    {
      v1: [
        ['memory.limit_in_bytes', bytes],
        ...(memorySwap === undefined
          ? []
          : [['memory.memsw.limit_in_bytes', `${memorySwap}`] as const]),
      ],
      v2: [
        ['memory.max', bytes],
        ...(memorySwap === undefined ? [] : [['memory.swap.max', swap] as const]),
      ],
    },
  ]
}

function reservationLines(bytes: number): BothLines {
  return { v1: [['memory.soft_limit_in_bytes', `${bytes}`]], v2: [['memory.low', `${bytes}`]] }
}

function cpuSettings(resources: StepResources): readonly GroupSetting[] {
  const { cpuShares, cpuQuota, cpuPeriod, cpusetCpus, cpusetMems } = resources
  const settings: GroupSetting[] = []
  if (cpuShares !== undefined) {
    // The ranges [2, 262144] and [1, 10000] laid over each other, as container engines do.
    const weight = Math.max(1, Math.round(1 + ((cpuShares - 2) * 9999) / 262_142))
    const v1 = [['cpu.shares', `${cpuShares}`] as const]
    settings.push({ controller: 'cpu', v1, v2: [['cpu.weight', `${weight}`]] })
  }
  if (cpuQuota !== undefined || cpuPeriod !== undefined) {
    const period = `${cpuPeriod ?? DEFAULT_PERIOD}`
    const quota = cpuQuota ?? -1
    settings.push({
      controller: 'cpu',
      v1: [
        ['cpu.cfs_period_us', period],
        ['cpu.cfs_quota_us', `${quota}`],
      ],
      v2: [['cpu.max', `${quota < 0 ? 'max' : quota} ${period}`]],
    })
  }
  for (const [file, value] of [
    ['cpuset.cpus', cpusetCpus],
    ['cpuset.mems', cpusetMems],
  ] as const) {
    if (value === undefined) continue
    settings.push({ controller: 'cpuset', v1: [[file, value]], v2: [[file, value]] })
  }
  return settings
}

function pidsSettings({ pids }: StepResources): readonly GroupSetting[] {
  if (pids === undefined) return []
  const file = [['pids.max', pids < 0 ? 'max' : `${pids}`] as const]
  return [{ controller: 'pids', v1: file, v2: file }]
}

/** The file of the first version, and the key in that of the second. */
const IO_FILES: Readonly<Record<IoLimitKind, readonly [file: string, key: string]>> = {
  'read-bps': ['blkio.throttle.read_bps_device', 'rbps'],
  'write-bps': ['blkio.throttle.write_bps_device', 'wbps'],
  'read-iops': ['blkio.throttle.read_iops_device', 'riops'],
  'write-iops': ['blkio.throttle.write_iops_device', 'wiops'],
}

function ioSetting({ kind, device, rate }: IoLimit): GroupSetting {
  const [file, key] = IO_FILES[kind]
  const numbers = numbersOf(device)
  return {
    controller: 'io',
    v1: [[file, `${numbers} ${rate}`]],
    v2: [['io.max', `${numbers} ${key}=${rate}`]],
  }
}

/** Who has no BFQ scheduler has another scale: [10, 1000] and [1, 10000] laid over each other, as runc does. */
function weightSetting(weight: number): GroupSetting {
  const converted = 1 + Math.floor(((weight - 10) * 9999) / 990)
  const bfq = (file: string) => [file, `${weight}`] as const
  return {
    controller: 'io',
    v1: [{ firstOf: [bfq('blkio.weight'), bfq('blkio.bfq.weight')] }],
    v2: [{ firstOf: [bfq('io.bfq.weight'), ['io.weight', `${converted}`]] }],
  }
}

/** Only the BFQ scheduler of the second version has them, and no other is asked, as with runc. */
function deviceWeightSetting({ device, weight }: IoDeviceWeight): GroupSetting {
  const value = `${numbersOf(device)} ${weight}`
  return {
    controller: 'io',
    v1: [
      {
        firstOf: [
          ['blkio.weight_device', value],
          ['blkio.bfq.weight_device', value],
        ],
      },
    ],
    v2: [{ firstOf: [['io.bfq.weight', value]] }],
  }
}

/** Major and minor. @throws {TsbuildError} USAGE unless it is a block device */
function numbersOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found?.isBlockDevice() !== true) {
    const failure = found === undefined ? `stat ${path}: no such file or directory` : undefined
    throw new TsbuildError(failure ?? `limit the I/O of a step: ${path} is not a block device`, {
      code: 'USAGE',
      hint: 'name a disk of this machine, such as /dev/sda: lsblk lists them',
    })
  }
  const { major, minor } = deviceNumbers(found.rdev)
  return `${major}:${minor}`
}
