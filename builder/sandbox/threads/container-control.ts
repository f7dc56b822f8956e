/** What the handle of a process does with all that runs beside it. */
import { closeSync, fstatSync, openSync, readdirSync, statSync } from 'node:fs'
import { duplicate } from '#builder/linux'
import { type StepResources, TsbuildError } from '#core'
import type { CgroupDir } from '../limits/cgroup-dir.ts'
import { readUsage } from '../limits/container-stats.ts'
import type { ControlGroup } from '../limits/control-groups.ts'
import { freeze, thaw } from '../limits/freezer.ts'
import { processesOf } from '../limits/group-processes.ts'
import { groupSettings } from '../limits/resource-settings.ts'
import type { MadeRoot } from '../process/made-root.ts'
import type { PreparedStep } from '../process/prepared-step.ts'
import { endedStepError } from '../process/step-process.ts'
import type { ContainerUsage } from '../spec/container-usage.ts'
import type { NamespaceHolder } from '../spec/namespace-holder.ts'
import type { ContainerMethods } from '../spec/no-container.ts'
import type { OpenedRoot } from '../spec/opened-root.ts'

/** Of one running step or container. */
export interface ControlInput {
  /** Of its main program, on the host. */
  readonly pid: number
  readonly step: PreparedStep
  /** Where it runs, if that was made with its start. */
  readonly made: MadeRoot | undefined
  /** That of a container; a step's may serve others after it. */
  readonly group: ControlGroup | undefined
}

/** Pauses, counts and changes what runs in a container. */
export class ContainerControl {
  readonly #input: ControlInput
  #isPaused = false
  /** That it stops; others wait for it. */
  #stopping: Promise<void> | undefined
  #isKilled = false
  #isOver = false

  constructor(input: ControlInput) {
    this.#input = input
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  /** For a handle. */
  get methods(): ContainerMethods {
    return {
      pause: () => this.#pause(),
      resume: () => this.#resume(),
      usage: () => this.#usage(),
      update: (resources) => this.#update(resources),
      processes: () => this.#processes(),
      openRoot: () => this.#openRoot(),
      openNamespace: (kind) => this.#openNamespace(kind),
    }
  }

  /** Lets it end: what is stopped may not be able to. It cannot be paused any more. */
  release(): void {
    this.#isKilled = true
    if (this.#isPaused) thaw(this.#group().directories)
    this.#isPaused = false
  }

  /** From now on its descriptors are another's. */
  close(): void {
    this.#isOver = true
  }

  async #pause(): Promise<void> {
    const { directories } = this.#group()
    this.#refuseEnded()
    if (this.#isPaused) return await this.#stopping
    this.#isPaused = true
    this.#stopping = this.#stop(directories)
    await this.#stopping
  }

  async #stop(directories: readonly CgroupDir[]): Promise<void> {
    try {
      await freeze(directories)
    } catch (cause) {
      this.#isPaused = false
      throw cause
    }
    if (!this.#isKilled) return
    thaw(directories)
    throw endedStepError()
  }

  async #resume(): Promise<void> {
    const { directories } = this.#group()
    this.#refuseEnded()
    if (!this.#isPaused) return
    await this.#stopping?.catch(() => undefined)
    if (this.#isPaused) thaw(directories)
    this.#isPaused = false
  }

  #usage(): ContainerUsage {
    const { group } = this.#input
    return group === undefined || this.#isOver ? {} : readUsage(group.directories)
  }

  #update(resources: StepResources): void {
    this.#refuseEnded()
    this.#group().apply(groupSettings(resources))
  }

  #processes(): readonly number[] {
    const { pid, step, group } = this.#input
    if (this.#isOver) return []
    const counted = processesOf(group?.directories ?? [])
    const found = counted.length > 0 ? counted : this.#processesInNamespace()
    const first = [step.first.pid, pid]
    return [...new Set([...first, ...found.toSorted((a, b) => a - b)])]
  }

  /** Where no control group says which they are. */
  #processesInNamespace(): readonly number[] {
    const { pids, namespaces } = this.#input.step
    if (pids !== 'own' || namespaces.pid === undefined) {
      throw unsupportedError(
        'list its processes: it has neither control groups nor a pid namespace',
      )
    }
    const { ino } = fstatSync(namespaces.pid)
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && inodeOf(`/proc/${name}/ns/pid`) === ino)
      .map(Number)
  }

  #openRoot(): OpenedRoot {
    this.#refuseEnded()
    const { made, step } = this.#input
    return openedRoot({
      root: duplicate(made?.root ?? step.root.root),
      mnt: this.#openNamespace('mnt'),
    })
  }

  #openNamespace(kind: Parameters<NamespaceHolder['openNamespace']>[0]): number {
    this.#refuseEnded()
    const { made, step } = this.#input
    const descriptor = kind === 'mnt' ? (made?.mnt ?? step.namespaces.mnt) : step.namespaces[kind]
    // In a user namespace it is where this process is.
    return descriptor === undefined ? openSync(`/proc/self/ns/${kind}`, 'r') : duplicate(descriptor)
  }

  #group(): ControlGroup {
    const { group } = this.#input
    if (group !== undefined && group.directories.length > 0) return group
    throw unsupportedError('it has no control groups of its own')
  }

  #refuseEnded(): void {
    if (this.#isOver || this.#isKilled) throw endedStepError()
  }
}

/** An open root, which its mounts last as long as. Takes over the descriptors. */
export function openedRoot({ root, mnt }: MadeRoot): OpenedRoot {
  return {
    descriptor: root,
    [Symbol.asyncDispose]: async () => {
      closeSync(root)
      closeSync(mnt)
    },
  }
}

function inodeOf(path: string): number | undefined {
  try {
    return statSync(path).ino
  } catch {
    // It has ended, or is not ours to look at.
    return undefined
  }
}

function unsupportedError(message: string): TsbuildError {
  return new TsbuildError(message, {
    code: 'UNSUPPORTED',
    hint: 'containers have them where tsbuild runs as root, or in a control group of its own',
  })
}
