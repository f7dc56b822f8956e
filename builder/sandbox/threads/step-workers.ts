import { mkdirSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { TaskThread } from '#builder/threads'
import type { ControlGroup } from '../limits/control-groups.ts'
import { NetworkPool } from '../network/network-pool.ts'
import type { ProcessSpec } from '../spec/process-spec.ts'
import type * as namespaceTasks from './namespace-tasks.ts'
import { StepLauncher } from './step-launcher.ts'
import type { PreparerSettings } from './thread-preparer.ts'

/** The threads and networks that steps share. */
export interface StepWorkers {
  readonly preparer: TaskThread<typeof namespaceTasks>
  readonly networks: NetworkPool
  readonly launchers: Readonly<Record<ProcessSpec['security'], StepLauncher>>
}

/** Starts the threads. @param onGroup gets each control group that is made */
export async function startWorkers(
  temporary: string,
  onGroup: (group: ControlGroup) => void,
): Promise<StepWorkers> {
  const scaffold = `${temporary}/scaffold`
  mkdirSync(scaffold, { recursive: true, mode: 0o700 })
  // Node's pool of threads comes into being with the first asynchronous call. That must happen
  // before a thread enters a namespace, because a new thread is in the namespaces of its creator.
  await stat('/')
  const settings: PreparerSettings = { scaffold }
  const script = new URL('./namespace-worker.js', import.meta.url)
  const doing = 'prepare a step'
  const preparer = new TaskThread<typeof namespaceTasks>({ doing, script, settings })
  preparer.start()
  return {
    preparer,
    launchers: {
      sandbox: new StepLauncher('sandbox', onGroup),
      insecure: new StepLauncher('insecure', onGroup),
    },
    networks: new NetworkPool(() => preparer.run('makeNetwork', undefined)),
  }
}

/** Ends the threads and networks; no step may be running. */
export async function closeWorkers({ preparer, launchers, networks }: StepWorkers): Promise<void> {
  const all = [preparer, ...Object.values(launchers), networks]
  await Promise.all(all.map((one) => one.close()))
}
