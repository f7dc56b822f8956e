import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf } from '#core'
import type { HostCheck } from './host-check.ts'

/** Spec: Linux, Documentation/admin-guide/binfmt-misc.rst */
const BINFMT_MISC = '/proc/sys/fs/binfmt_misc'
const PREFIX = 'qemu-'

/** Programs of which other architectures run in steps. @param directory the kernel's list */
export function checkEmulators(directory: string = BINFMT_MISC): HostCheck {
  const subject = 'other platforms'
  const names = namesIn(directory).filter((name) => name.startsWith(PREFIX))
  const usable = names.filter((name) => isUsable(readFileSync(join(directory, name), 'latin1')))
  if (usable.length > 0) {
    const architectures = usable.map((name) => name.slice(PREFIX.length)).toSorted()
    return { subject, state: 'ok', detail: `steps also run for ${architectures.join(', ')}` }
  }
  const detail = 'steps run for this architecture only; COPY, ADD and settings work for all'
  const hint =
    names.length > 0
      ? `register the emulators with the flag F, as Debian's qemu-user-static does: no image has them in it`
      : 'install qemu-user-static and binfmt-support'
  return { subject, state: 'limited', detail, hint }
}

/** Switched on, and opened by the kernel itself. */
function isUsable(handler: string): boolean {
  return /^enabled$/m.test(handler) && /^flags:.*F/m.test(handler)
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause
    return []
  }
}
