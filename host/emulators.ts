import { EMULATORS, type Emulator, readEmulator } from '#builder/linux'
import type { HostCheck } from './host-check.ts'
import { namesIfShown } from './kernel-files.ts'

const PREFIX = 'qemu-'

/** Programs of which other architectures run in steps. @param list the kernel's */
export function checkEmulators(list: string = EMULATORS): HostCheck {
  const subject = 'other platforms'
  const names = namesIfShown(list).filter((name) => name.startsWith(PREFIX))
  const usable = names.filter((name) => isUsable(readEmulator(name, list)))
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

function isUsable(emulator: Emulator | undefined): boolean {
  return emulator?.isOn === true && emulator.isOpen
}
