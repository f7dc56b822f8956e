import type { TsbuildError } from '#core'
import { STEP_PROFILE } from '../filter/apparmor.ts'
import { readSelinux } from '../filter/read-selinux.ts'
import { readAppArmor } from '../root/host-facts.ts'
import { notice } from './notices.ts'

/** Modules of the kernel that confine programs, but not steps. @param store as for `readSelinux` */
export function confinementNotices(store: string): readonly TsbuildError[] {
  const selinux = readSelinux(store)
  return [
    ...(readAppArmor() === 'missing' ? [missingProfileNotice()] : []),
    ...(selinux.kind === 'missing' ? [missingLabelsNotice(selinux.reason)] : []),
  ]
}

function missingProfileNotice(): TsbuildError {
  return notice(
    `steps are not confined by AppArmor: the profile ${STEP_PROFILE} is not loaded`,
    'start docker once, which loads it, or load it with apparmor_parser',
  )
}

function missingLabelsNotice(reason: string): TsbuildError {
  return notice(
    `steps are not confined by SELinux: ${reason}`,
    'install the policy of containers (container-selinux), and let tsbuild start them: see docs/runtimes.md',
  )
}
