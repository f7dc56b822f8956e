import type { ControlGroup } from '../limits/control-groups.ts'
import { makeDefaultGroup } from '../limits/step-groups.ts'
import type { ProcessSpec } from '../spec/sandbox.ts'
import type { Ended, Launched, LauncherSettings, LaunchRequest } from './messages.ts'
import { WorkerClient } from './worker-client.ts'

export type LauncherClient = WorkerClient<LaunchRequest, Launched | Ended>

/** A launch worker with the control group in which it starts steps. */
export interface StepLauncher {
  readonly client: LauncherClient
  readonly group: ControlGroup
}

/** Launch workers: each is busy as long as its step runs, so there are as many as steps overlap. */
export class LauncherPool {
  readonly #security: ProcessSpec['security']
  readonly #onGroup: (group: ControlGroup) => void
  readonly #idle: StepLauncher[] = []
  readonly #all = new Set<StepLauncher>()

  /** @param onGroup is told of each group that is made */
  constructor(security: ProcessSpec['security'], onGroup: (group: ControlGroup) => void) {
    this.#security = security
    this.#onGroup = onGroup
  }

  /** A launcher for one step at a time, until it is given back. */
  take(): StepLauncher {
    const idle = this.#idle.pop()
    if (idle !== undefined) return idle
    const group = makeDefaultGroup(this.#security)
    this.#onGroup(group)
    const settings: LauncherSettings = { groups: group.places }
    const script = new URL('./launch-worker.js', import.meta.url)
    const launcher = { client: new WorkerClient(script, settings) as LauncherClient, group }
    this.#all.add(launcher)
    launcher.client.start()
    return launcher
  }

  giveBack(launcher: StepLauncher): void {
    this.#idle.push(launcher)
  }

  async close(): Promise<void> {
    await Promise.all(
      [...this.#all].map(async ({ client, group }) => {
        await client.close()
        await group.remove()
      }),
    )
  }
}
