import type { ResourceLimit } from '#builder/linux'
import type { Ulimit, UlimitName } from '#core'
import { OPEN_FILES } from '../filter/profile.ts'

/** What the limits of a step's process come from. */
export interface LimitInput {
  readonly ulimits: readonly Ulimit[]
  /** The builder's own limit of open files. */
  readonly openFiles: ResourceLimit
}

/** One limit, in the kernel's numbers. */
export interface ProcessLimit {
  readonly name: UlimitName
  readonly soft: bigint
  readonly hard: bigint
  /** It is left as it is where the kernel refuses. */
  readonly optional?: boolean
}

/** The limits of a process, to be set in this order. */
export function processLimits({ ulimits, openFiles }: LimitInput): readonly ProcessLimit[] {
  const asked = new Set(ulimits.map(({ name }) => name))
  const files: readonly ProcessLimit[] = [
    { name: 'nofile', soft: openFiles.hard, hard: openFiles.hard },
    // Only root may have more than the builder has.
    { name: 'nofile', soft: OPEN_FILES, hard: OPEN_FILES, optional: true },
  ]
  return [
    ...(asked.has('core') ? [] : [{ name: 'core', soft: 0n, hard: 0n } as const]),
    ...(asked.has('nofile') ? [] : files),
    ...ulimits.map(({ name, soft, hard }) => ({ name, soft: raw(soft), hard: raw(hard) })),
  ]
}

/** A raw limit of the kernel for "none". */
const UNLIMITED = 2n ** 64n - 1n

function raw(limit: number): bigint {
  return limit < 0 ? UNLIMITED : BigInt(limit)
}
