import { TaskThread } from '#builder/threads'
import type { ControlGroup } from '../limits/control-groups.ts'
import { makeDefaultGroup } from '../limits/step-groups.ts'
import type { ProcessSpec } from '../spec/process-spec.ts'
import type * as launchTasks from './launch-tasks.ts'
import type { LauncherSettings } from './thread-launcher.ts'

/** A thread that starts processes, with the control group in which it starts them. */
export interface StepLauncher {
  readonly thread: TaskThread<typeof launchTasks>
  readonly group: ControlGroup
}

/** Threads that start processes: each is busy as long as its step runs, so there are as many as overlap. */
export class LauncherPool {
  readonly #security: ProcessSpec['security']
  readonly #onGroup: (group: ControlGroup) => void
  readonly #idle: StepLauncher[] = []
  readonly #all = new Set<StepLauncher>()

  /** @param onGroup gets each group that is made */
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
    const settings: LauncherSettings = { cgroups: group.directories }
    const script = new URL('./launch-worker.js', import.meta.url)
    const thread = new TaskThread<typeof launchTasks>({ doing: 'run a step', script, settings })
    const launcher = { thread, group }
    this.#all.add(launcher)
    thread.start()
    return launcher
  }

  /** Returns a launcher whose step has ended. */
  giveBack(launcher: StepLauncher): void {
    this.#idle.push(launcher)
  }

  /** Ends the threads, and removes their groups. */
  async close(): Promise<void> {
    await Promise.all(
      [...this.#all].map(async ({ thread, group }) => {
        await thread.close()
        await group.remove()
      }),
    )
  }
}
