import type { ControlGroup } from '../limits/control-groups.ts'
import { makeDefaultGroup } from '../limits/step-groups.ts'
import type { ProcessSpec } from '../spec/process-spec.ts'

/**
 * Control groups for steps of one kind without limits of their own, each for one step at a time, because a
 * group counts and limits all its processes together.
 */
export class GroupPool {
  readonly #security: ProcessSpec['security']
  readonly #onGroup: (group: ControlGroup) => void
  readonly #idle: ControlGroup[] = []
  readonly #all = new Set<ControlGroup>()

  /** @param onGroup gets each group that is made */
  constructor(security: ProcessSpec['security'], onGroup: (group: ControlGroup) => void) {
    this.#security = security
    this.#onGroup = onGroup
  }

  /** A group until it is given back. */
  take(): ControlGroup {
    const idle = this.#idle.pop()
    if (idle !== undefined) return idle
    const group = makeDefaultGroup(this.#security)
    this.#onGroup(group)
    this.#all.add(group)
    return group
  }

  /** Returns a group whose step has ended. */
  giveBack(group: ControlGroup): void {
    this.#idle.push(group)
  }

  /** Removes the groups; nothing may be in them. */
  async close(): Promise<void> {
    await Promise.all([...this.#all].map((group) => group.remove()))
  }
}
