import { Buffer } from 'node:buffer'
import { ULIMIT_NAMES, type UlimitName } from '#core'
import { syscall } from './syscalls.ts'

/** A soft and a hard limit; -1: unlimited. */
export interface ResourceLimit {
  readonly soft: bigint
  readonly hard: bigint
}

/** The limit of process `pid` (0: this one, all threads). */
export function getResourceLimit(pid: number, resource: UlimitName): ResourceLimit {
  const old = Buffer.alloc(16)
  syscall('prlimit64', [pid, ULIMIT_NAMES.indexOf(resource), undefined, old], resource)
  return { soft: old.readBigUInt64LE(0), hard: old.readBigUInt64LE(8) }
}
