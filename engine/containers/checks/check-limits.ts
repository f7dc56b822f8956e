import { cpus } from 'node:os'
import { TsbuildError } from '#core'
import type { ContainerRecord, HostConfig, ResourceConfig } from '#engine/model'

const MEGABYTE = 1024 * 1024
const LEAST_MEMORY = 6 * MEGABYTE
const NANO = 1e9

/**
 * Says what is wrong with limits before a container has them, in docker's words.
 * @throws {TsbuildError} USAGE
 */
export function checkLimits(config: HostConfig): void {
  checkMemory(config)
  checkProcessors(config)
  const { OomScoreAdj = 0, ShmSize = 0 } = config
  refuse(
    Math.abs(OomScoreAdj) > 1000,
    `Invalid value ${OomScoreAdj}, range for oom score adj is [-1000, 1000]`,
  )
  refuse(ShmSize < 0, 'SHM size can not be less than 0')
}

/** Of limits that can be set here: a weight that is discarded may be any. @throws {TsbuildError} USAGE */
export function checkWeight({ BlkioWeight = 0 }: HostConfig): void {
  refuse(
    BlkioWeight !== 0 && (BlkioWeight < 10 || BlkioWeight > 1000),
    'Range of blkio weight is from 10 to 1000',
  )
}

/**
 * More memory than memory and swap together needs more of both.
 * @throws {TsbuildError} CONFLICT
 */
export function checkMemoryUpdate(
  { id, hostConfig }: ContainerRecord,
  { Memory = 0, MemorySwap = 0 }: ResourceConfig,
): void {
  if (Memory === 0 || MemorySwap !== 0 || Memory <= (hostConfig.MemorySwap ?? 0)) return
  throw new TsbuildError(
    `Cannot update container ${id}: Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time`,
    { code: 'CONFLICT' },
  )
}

function checkMemory(config: HostConfig): void {
  const { Memory = 0, MemorySwap = 0, MemoryReservation = 0, MemorySwappiness = -1 } = config
  refuse(Memory !== 0 && Memory < LEAST_MEMORY, 'Minimum memory limit allowed is 6MB')
  refuse(
    Memory > 0 && MemorySwap > 0 && MemorySwap < Memory,
    'Minimum memoryswap limit should be larger than memory limit, see usage',
  )
  refuse(
    Memory === 0 && MemorySwap > 0,
    'You should always set the Memory limit when using Memoryswap limit, see usage',
  )
  refuse(
    MemorySwappiness < -1 || MemorySwappiness > 100,
    `Invalid value: ${MemorySwappiness}, valid memory swappiness range is 0-100`,
  )
  refuse(
    MemoryReservation !== 0 && MemoryReservation < LEAST_MEMORY,
    'Minimum memory reservation allowed is 6MB',
  )
  refuse(
    Memory > 0 && MemoryReservation > Memory,
    'Minimum memory limit can not be less than memory reservation limit, see usage',
  )
}

function checkProcessors(config: HostConfig): void {
  const { NanoCpus = 0, CpuPeriod = 0, CpuQuota = 0 } = config
  const count = cpus().length
  refuse(
    NanoCpus !== 0 && CpuPeriod !== 0,
    'Conflicting options: Nano CPUs and CPU Period cannot both be set',
  )
  refuse(
    NanoCpus !== 0 && CpuQuota !== 0,
    'Conflicting options: Nano CPUs and CPU Quota cannot both be set',
  )
  refuse(
    NanoCpus < 0 || NanoCpus > count * NANO,
    `Range of CPUs is from 0.01 to ${count}.00, as there are only ${count} CPUs available`,
  )
  refuse(
    CpuPeriod !== 0 && (CpuPeriod < 1000 || CpuPeriod > 1_000_000),
    'CPU cfs period cannot be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)',
  )
  refuse(CpuQuota > 0 && CpuQuota < 1000, 'CPU cfs quota cannot be less than 1ms (i.e. 1000)')
}

/** @throws {TsbuildError} USAGE */
export function refuse(isWrong: boolean, message: string): void {
  if (isWrong) throw new TsbuildError(message, { code: 'USAGE' })
}
