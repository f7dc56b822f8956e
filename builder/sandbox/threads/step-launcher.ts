import { TaskThread } from '#builder/threads'
import type { ControlGroup } from '../limits/control-groups.ts'
import { makeDefaultGroup } from '../limits/step-groups.ts'
import type { Launched, LaunchInput } from '../process/step-process.ts'
import type { ProcessSpec } from '../spec/process-spec.ts'
import type * as launchTasks from './launch-tasks.ts'
import type { LauncherSettings } from './thread-launcher.ts'

/**
 * A thread that starts the processes of all steps of one kind, and control groups for them, each for one
 * step at a time, because a group counts and limits all its processes together.
 */
export class StepLauncher {
  readonly #security: ProcessSpec['security']
  readonly #onGroup: (group: ControlGroup) => void
  readonly #idle: ControlGroup[] = []
  readonly #groups = new Set<ControlGroup>()
  #thread: TaskThread<typeof launchTasks> | undefined

  /** @param onGroup gets each group that is made */
  constructor(security: ProcessSpec['security'], onGroup: (group: ControlGroup) => void) {
    this.#security = security
    this.#onGroup = onGroup
  }

  /** Starts the thread, so that the first step need not wait for it. */
  warmUp(): void {
    this.giveBack(this.takeGroup())
    this.#start().start()
  }

  /** A group without limits of a step, until it is given back. */
  takeGroup(): ControlGroup {
    const idle = this.#idle.pop()
    if (idle !== undefined) return idle
    const group = makeDefaultGroup(this.#security)
    this.#onGroup(group)
    this.#groups.add(group)
    return group
  }

  /** Returns a group whose step has ended. */
  giveBack(group: ControlGroup): void {
    this.#idle.push(group)
  }

  /**
   * Starts the program of a prepared step.
   * @returns when it runs
   * @throws {TsbuildError} STEP_FAILED when it cannot be started, PEER_GONE
   */
  launch(input: LaunchInput): Promise<Launched> {
    return this.#start().run('launch', input)
  }

  /** Ends the thread, and removes the groups. */
  async close(): Promise<void> {
    await this.#thread?.close()
    await Promise.all([...this.#groups].map((group) => group.remove()))
  }

  #start(): TaskThread<typeof launchTasks> {
    const [first] = this.#groups
    const settings: LauncherSettings = { cgroups: first?.directories ?? [] }
    const script = new URL('./launch-worker.js', import.meta.url)
    this.#thread ??= new TaskThread({ doing: 'run a step', script, settings })
    return this.#thread
  }
}
