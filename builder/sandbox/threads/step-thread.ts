import { openSync } from 'node:fs'
import { constants } from 'node:os'
import { SystemError, unshareNamespaces } from '#builder/linux'
import {
  Hub,
  makeUplinkRouter,
  type Router,
  type UplinkPlace,
  type UplinkPlan,
} from '#builder/network'
import { threadSettings } from '#builder/threads'
import type { CgroupDir } from '../limits/cgroup-dir.ts'
import { Launcher } from '../process/launcher.ts'
import {
  closePreparer,
  openPreparer,
  type Preparer,
  type PreparerOptions,
} from '../process/preparer.ts'
import { SparePlace } from '../process/spare-place.ts'

/** What the thread that prepares and starts steps is started with. */
export interface StepThreadSettings extends PreparerOptions {
  /** The control groups that the first step will be in. */
  readonly cgroups: readonly CgroupDir[]
}

let preparer: Preparer | undefined
let launcher: Launcher | undefined
let hub: Hub | Router | undefined

/** The preparer of the calling thread, opened at the first call. */
export function threadPreparer(): Preparer {
  preparer ??= openPreparer(threadSettings<StepThreadSettings>())
  return preparer
}

/** Opens the calling thread's hub in the host's network. @throws {SystemError} */
export function openThreadHub(): void {
  const { net } = threadPreparer().home
  // In a user namespace the host's network belongs to another one, and this thread could not come back.
  if (net === undefined) throw new SystemError(constants.errno.EPERM, 'setns', 'net')
  hub = new Hub(net)
}

/** Makes a router that takes the hub's place, to be connected by a program. @throws {SystemError} */
export function openThreadRouter(plan: UplinkPlan): UplinkPlace {
  const { router, place } = makeUplinkRouter(threadPreparer().home.net ?? leaveHostNetwork(), plan)
  hub = router
  return place
}

/** The hub of the calling thread, or the router that took its place; one must have been opened. */
export function threadHub(): Hub | Router {
  if (hub === undefined) throw new Error('this thread has no hub')
  return hub
}

/** An empty network to come back to. */
function leaveHostNetwork(): number {
  unshareNamespaces(['net'])
  return openSync('/proc/thread-self/ns/net', 'r')
}

/** Of the calling thread. */
export const sparePlace: SparePlace = new SparePlace()

/** The launcher of the calling thread, which becomes it at the first call that succeeds. */
export function threadLauncher(): Launcher {
  launcher ??= new Launcher(threadSettings<StepThreadSettings>().cgroups)
  return launcher
}

/** Releases what the thread holds, before it ends. */
export function closeStepThread(): void {
  sparePlace.drop()
  hub?.[Symbol.dispose]()
  hub = undefined
  if (preparer !== undefined) closePreparer(preparer)
  preparer = undefined
}
