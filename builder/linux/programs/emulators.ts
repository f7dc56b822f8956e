import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf } from '#core'

/** The kernel's list. Spec: Linux, Documentation/admin-guide/binfmt-misc.rst */
export const EMULATORS = '/proc/sys/fs/binfmt_misc'

/** A program that the kernel runs for those of another architecture. */
export interface Emulator {
  readonly isOn: boolean
  /** The kernel has opened it when it was registered, so that it need not be in an image. */
  readonly isOpen: boolean
}

/** What the kernel knows of an emulator; `undefined` where none is registered by that name. */
export function readEmulator(name: string, list: string = EMULATORS): Emulator | undefined {
  try {
    const handler = readFileSync(join(list, name), 'latin1')
    return { isOn: /^enabled$/m.test(handler), isOpen: /^flags:.*F/m.test(handler) }
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause
    return undefined
  }
}
