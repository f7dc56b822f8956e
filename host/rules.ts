import { type as osType, release } from 'node:os'
import { confinementNotices } from '#builder/sandbox'
import type { HostCheck } from './host-check.ts'
import { readIfShown } from './kernel-files.ts'

/** Whether the kernel filters system calls. Spec: seccomp(2), /proc interfaces */
export function checkFilter(): HostCheck {
  const subject = 'filter of system calls'
  const actions = readIfShown('/proc/sys/kernel/seccomp/actions_avail')
  if (actions?.split(/\s+/).includes('errno')) {
    return { subject, state: 'ok', detail: 'seccomp, with the rules of docker' }
  }
  const hint = 'use a kernel with CONFIG_SECCOMP_FILTER'
  return { subject, state: 'missing', detail: `${osType()} ${release()} has no seccomp`, hint }
}

/** What limits programs beyond their rights, where the machine has it. @param root the folder of the store */
export function checkConfinement(root: string): HostCheck {
  const subject = 'confinement'
  const [missing] = confinementNotices(root)
  if (missing !== undefined) {
    const { message: detail, hint } = missing
    return { subject, state: 'limited', detail, ...(hint === undefined ? {} : { hint }) }
  }
  const found = CONFINEMENTS.filter(([path, on]) => on.includes(readIfShown(path)?.trim() ?? ''))
  const detail =
    found.length === 0 ? 'this machine has neither AppArmor nor SELinux' : namesOf(found)
  return { subject, state: 'ok', detail }
}

type Confinement = readonly [path: string, on: readonly string[], name: string]

const CONFINEMENTS: readonly Confinement[] = [
  ['/sys/module/apparmor/parameters/enabled', ['Y'], 'AppArmor'],
  ['/sys/fs/selinux/enforce', ['0', '1'], 'SELinux'],
]

function namesOf(found: readonly Confinement[]): string {
  return found.map(([, , name]) => name).join(', ')
}
