import type { Stats } from 'node:fs'

/** A blob that is whole and on the disk. Until then it has another mode: see docs/adr/0003. */
export const SEALED = 0o444
/** One that may not be on the disk yet: after a reboot it is verified. */
export const UNSEALED = 0o644
/** One that may not be on the disk yet and can be made again: after a reboot it is removed. See docs/adr/0059 */
export const SPARE = 0o640

/** Milliseconds after which the kernel has begun to write what it was given: twice its default. */
const SETTLED = 60_000

/** The permissions of a blob's file. */
export function modeOf({ mode }: Stats): number {
  return mode & 0o777
}

/** A spare blob that the kernel is still to write: waiting for that would cost more than the blob is worth. */
export function isFreshSpare(found: Stats): boolean {
  return modeOf(found) === SPARE && Date.now() - found.ctimeMs < SETTLED
}
