import { accessSync, constants } from 'node:fs'
import { capture } from '../../test/support/peers/index.ts'
import type { GuestImage } from './image.ts'

/** How instructions of a guest are executed: by the processor, or one after the other by QEMU. */
export type Accelerator = 'kvm' | 'tcg'

/** Milliseconds. With a processor that helps, a kernel without a disk gives up after one second. */
const TRIAL = 20_000

/**
 * KVM where it is of use. A kernel that is a guest itself may offer /dev/kvm and emulate each instruction
 * of another kernel, which is slower than QEMU; so it is tried.
 */
export async function chooseAccelerator({ kernel }: GuestImage): Promise<Accelerator> {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK)
  } catch {
    return 'tcg'
  }
  const [command = '', ...args] = machineWords('kvm')
  const trial = ['-m', '256M', '-kernel', kernel, '-append', 'panic=-1 quiet']
  const { status } = await capture(command, [...args, ...trial], { timeoutMs: TRIAL })
  return status === 0 ? 'kvm' : 'tcg'
}

/**
 * Words that start a machine, which has no device but those that are added, ends instead of starting again,
 * does not outlive this process, and leaves the processors to others.
 */
export function machineWords(accelerator: Accelerator): readonly string[] {
  return [
    ...['nice', '-n', '10', 'setpriv', '--pdeathsig', 'KILL', 'qemu-system-x86_64'],
    ...['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none', '-nic', 'none'],
    ...ACCELERATION[accelerator],
  ]
}

const ACCELERATION: Readonly<Record<Accelerator, readonly string[]>> = {
  // Not all that a processor has can be passed on by a machine that is a guest itself.
  kvm: ['-accel', 'kvm', '-cpu', 'max,-arch-capabilities'],
  // What V8 makes of wide registers is slow to translate.
  tcg: ['-accel', 'tcg,thread=multi', '-cpu', 'max,-avx,-avx2'],
}
