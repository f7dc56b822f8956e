import { constants } from 'node:os'
import { SystemError } from '#builder/linux'
import { Hub } from '#builder/network'
import { threadSettings } from '#builder/threads'
import type { CgroupDir } from '../limits/cgroup-dir.ts'
import { Launcher } from '../process/launcher.ts'
import { closePreparer, openPreparer, type Preparer } from '../process/preparer.ts'
import { SparePlace } from '../process/spare-place.ts'

/** What the thread that prepares and starts steps is started with. */
export interface StepThreadSettings {
  /** A directory of ours. */
  readonly temporary: string
  /** The control groups that the first step will be in. */
  readonly cgroups: readonly CgroupDir[]
}

let preparer: Preparer | undefined
let launcher: Launcher | undefined
let hub: Hub | undefined

/** The preparer of the calling thread, opened at the first call. */
export function threadPreparer(): Preparer {
  preparer ??= openPreparer(threadSettings<StepThreadSettings>().temporary)
  return preparer
}

/** The hub of the calling thread, opened at the first call, in the host's network. */
export function threadHub(): Hub {
  const { net } = threadPreparer().home
  // In a user namespace the host's network belongs to another one, and this thread could not come back.
  if (net === undefined) throw new SystemError(constants.errno.EPERM, 'setns', 'net')
  hub ??= new Hub(net)
  return hub
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
