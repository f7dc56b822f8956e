import { closeSync, constants, openSync, readFileSync, rmSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { makeNode, O_PATH, setResourceLimit } from '#builder/linux'
import { errnoOf, TsbuildError, type Ulimit } from '#core'
import {
  type ControlGroup,
  type GroupSetting,
  makeControlGroup,
  systemGroups,
} from './control-groups.ts'
import type { ExitStatus, ProcessSpec } from './sandbox.ts'
import { groupSettings } from './step-limits.ts'

/** Where a group without limits is made, so that its processes are counted there. */
const ACCOUNTED: readonly GroupSetting[] = (['memory', 'cpu', 'pids'] as const).map(
  (controller) => ({ controller, v1: [], v2: [] }),
)

/** A raw limit of the kernel for "none". */
const UNLIMITED = 2n ** 64n - 1n

/**
 * Sets the limits of a step's first process, after it exists and before it runs: its program is not
 * started before somebody opens a FIFO that it waits at. So all that it starts has the limits, too.
 * @returns `undefined` when there is nothing to limit
 * @throws {TsbuildError} SANDBOX_UNAVAILABLE
 */
export function openLimiter(
  spec: ProcessSpec,
  options: { readonly id: number; readonly temporary: string },
): StepLimiter | undefined {
  const { ulimits, resources, cgroupParent } = spec
  const wanted = groupSettings(resources)
  const settings = wanted.length === 0 && cgroupParent !== undefined ? ACCOUNTED : wanted
  if (settings.length === 0 && ulimits.length === 0) return undefined
  const name = `${process.pid}-step-${options.id}`
  const group =
    settings.length === 0
      ? undefined
      : makeControlGroup(name, { settings, parent: cgroupParent }, systemGroups())
  return new StepLimiter(`${options.temporary}/gate-${options.id}`, { group, ulimits })
}

export class StepLimiter implements AsyncDisposable {
  /** Of the FIFO. */
  readonly gate: number
  readonly #path: string
  readonly #group: ControlGroup | undefined
  readonly #ulimits: readonly Ulimit[]
  #isOver = false

  constructor(
    path: string,
    limits: { readonly group: ControlGroup | undefined; readonly ulimits: readonly Ulimit[] },
  ) {
    this.#path = path
    this.#group = limits.group
    this.#ulimits = limits.ulimits
    makeNode(path, 'fifo', { mode: 0o666 })
    this.gate = openSync(path, O_PATH)
  }

  /**
   * Limits the process that waits, and lets it through even if that fails.
   * @param thread whose child it is
   * @throws {TsbuildError} PERMISSION_DENIED
   */
  async admit(thread: number): Promise<void> {
    const pid = await this.#until(() => childOf(thread))
    try {
      if (pid !== undefined) this.#limit(pid)
    } finally {
      await this.#until(() => openForWriting(this.#path))
    }
  }

  /** Nobody will come to the gate any more. */
  end(): void {
    this.#isOver = true
  }

  /** A limit that the step ran into. */
  reached(): ExitStatus['reached'] {
    const events = this.#group?.events()
    if (events === undefined) return undefined
    if (events.outOfMemory > 0) return 'memory'
    return events.tooManyProcesses > 0 ? 'pids' : undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.end()
    closeSync(this.gate)
    rmSync(this.#path)
    await this.#group?.remove()
  }

  #limit(pid: number): void {
    this.#group?.add(pid)
    for (const { name, soft, hard } of this.#ulimits) {
      try {
        setResourceLimit(pid, name, { soft: raw(soft), hard: raw(hard) })
      } catch (cause) {
        throw new TsbuildError(`limit ${name} to ${soft}:${hard}: not permitted`, {
          code: 'PERMISSION_DENIED',
          hint: 'only root may raise a hard limit; choose a lower one',
          cause,
        })
      }
    }
  }

  async #until<T>(attempt: () => T | undefined): Promise<T | undefined> {
    while (!this.#isOver) {
      const result = attempt()
      if (result !== undefined) return result
      await delay(1)
    }
    return undefined
  }
}

function raw(limit: number): bigint {
  return limit < 0 ? UNLIMITED : BigInt(limit)
}

function childOf(thread: number): number | undefined {
  const children = readFileSync(`/proc/self/task/${thread}/children`, 'utf8').trim()
  return children === '' ? undefined : Number(children.split(' ')[0])
}

/** Succeeds once somebody waits at the other end, who goes on then. */
function openForWriting(path: string): true | undefined {
  try {
    closeSync(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK))
    return true
  } catch (cause) {
    if (errnoOf(cause) !== 'ENXIO') throw cause
    return undefined
  }
}
