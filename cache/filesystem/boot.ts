import { readFileSync } from 'node:fs'
import { errnoOf } from '#core'

/**
 * Identifies the run of the kernel: as long as it stays the same, what was written can be read back,
 * on the disk or not. Where the kernel does not say, every run counts as one.
 */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause
    return 'unknown'
  }
}
