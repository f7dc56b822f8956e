import { checkLimits, type LimitCheck, readGroupSystem } from '#builder/sandbox'
import type { HostCheck } from './host-check.ts'
import { readIfShown } from './kernel-files.ts'

/** Which limits steps can have, and whether the kernel tells how long they wait. */
export async function checkControlGroups(): Promise<readonly HostCheck[]> {
  return [limitsOf(await checkLimits(readGroupSystem())), checkPressure()]
}

function limitsOf(limits: readonly LimitCheck[]): HostCheck {
  const subject = 'control groups'
  const namesOf = (some: readonly LimitCheck[]): string =>
    some.map(({ controller }) => controller).join(', ')
  const missing = limits.filter(({ failure }) => failure !== undefined)
  const [first] = missing
  if (first !== undefined) {
    const detail = `steps cannot be limited in: ${namesOf(missing)}`
    return { subject, state: 'limited', detail, hint: first.failure?.hint }
  }
  const detail = `${namesOf(limits)}: ${versions(limits)}`
  if (!limits.some(limitsOnlyDirectIo)) return { subject, state: 'ok', detail }
  return {
    ...{ subject, state: 'limited' },
    detail: `${detail}; of io only what is read, and written past the memory of files`,
    hint: 'for limits of all that is written, start the machine with systemd.unified_cgroup_hierarchy=1',
  }
}

/** The first version does not know whose the data is that the kernel writes later. */
function limitsOnlyDirectIo({ controller, version }: LimitCheck): boolean {
  return controller === 'io' && version === 1
}

function versions(limits: readonly LimitCheck[]): string {
  const found = new Set(limits.map(({ version }) => version))
  return `version ${[...found].toSorted().join(' and ')}`
}

/** Spec: Linux, Documentation/accounting/psi.rst */
function checkPressure(): HostCheck {
  const subject = 'pressure'
  if (readIfShown('/proc/pressure/memory') !== undefined) {
    return { subject, state: 'ok', detail: 'the kernel tells how long processes wait' }
  }
  return {
    ...{ subject, state: 'limited' },
    detail:
      'the kernel does not tell how long processes wait: as many steps run as the load average allows',
    hint: 'start the kernel with psi=1',
  }
}
