import { TsbuildError } from '#core'
import { makeControlGroup } from './control-groups.ts'
import type { Controller } from './group-setting.ts'
import { type GroupSystem, hierarchyOf } from './hierarchies.ts'

/** Whether steps can be limited in one thing. */
export interface LimitCheck {
  readonly controller: Controller
  /** Of control groups: where the controller is. */
  readonly version: 1 | 2 | undefined
  /** Why they cannot. */
  readonly failure: TsbuildError | undefined
}

const CONTROLLERS: readonly Controller[] = ['memory', 'cpu', 'cpuset', 'io', 'pids', 'devices']

/** Makes a group with each controller as a step would get it, and removes it. */
export async function checkLimits(system: GroupSystem): Promise<readonly LimitCheck[]> {
  const checks: LimitCheck[] = []
  for (const controller of CONTROLLERS) checks.push(await checkLimit(controller, system))
  return checks
}

async function checkLimit(controller: Controller, system: GroupSystem): Promise<LimitCheck> {
  let version: LimitCheck['version']
  try {
    version = hierarchyOf(controller, system).version
    const settings = [{ controller, v1: [], v2: [] }] as const
    const group = makeControlGroup({ settings, parent: undefined }, system)
    await group.remove()
    return { controller, version, failure: undefined }
  } catch (cause) {
    if (!(cause instanceof TsbuildError)) throw cause
    return { controller, version, failure: cause }
  }
}
