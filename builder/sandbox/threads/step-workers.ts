import { stat } from 'node:fs'
import { TaskThread } from '#builder/threads'
import type { ControlGroup } from '../limits/control-groups.ts'
import { removeAbandonedGroups } from '../limits/step-groups.ts'
import type { PreparerOptions } from '../process/preparer.ts'
import type { ProcessSpec } from '../spec/process-spec.ts'
import { GroupPool } from './group-pool.ts'
import type * as stepTasks from './step-tasks.ts'
import type { StepThreadSettings } from './step-thread.ts'

/** The thread that prepares and starts steps. */
export type StepThread = TaskThread<typeof stepTasks>

/** The thread and control groups that steps share. */
export interface StepWorkers {
  readonly thread: StepThread
  readonly groups: Readonly<Record<ProcessSpec['security'], GroupPool>>
}

/** Starts the thread. @param onGroup gets each control group that is made */
export async function startWorkers(
  options: PreparerOptions,
  onGroup: (group: ControlGroup) => void,
): Promise<StepWorkers> {
  // Node's pool of threads comes into being with the first asynchronous call. That must happen
  // before a thread enters a namespace, because a new thread is in the namespaces of its creator.
  await new Promise((resolve) => stat('/', resolve))
  removeAbandonedGroups()
  const groups = {
    sandbox: new GroupPool('sandbox', onGroup),
    insecure: new GroupPool('insecure', onGroup),
  }
  const first = groups.sandbox.take()
  groups.sandbox.giveBack(first)
  const settings: StepThreadSettings = { ...options, cgroups: first.directories }
  const script = new URL('./step-worker.js', import.meta.url)
  const thread = new TaskThread<typeof stepTasks>({ doing: 'run a step', script, settings })
  thread.start()
  return { thread, groups }
}

/** Ends the thread, and removes the groups; no step may be running. */
export async function closeWorkers({ thread, groups }: StepWorkers): Promise<void> {
  await thread.close()
  await Promise.all(Object.values(groups).map((pool) => pool.close()))
}
