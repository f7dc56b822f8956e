import type { ProcessEnd } from '#builder/linux'
import type { NetworkSource } from '#builder/network'
import { Resources, TsbuildError } from '#core'
import { Child } from '../children/child.ts'
import { openStepNamespaces } from '../container/step-namespaces.ts'
import { directIoNotice, missingPartNotice } from '../host/notices.ts'
import type { ControlGroup } from '../limits/control-groups.ts'
import { endProcesses } from '../limits/group-processes.ts'
import type { GroupUsage } from '../limits/group-usage.ts'
import { limitsDevices, limitsOnlyDirectIo, makeStepGroup } from '../limits/step-groups.ts'
import { adoptFirst } from '../process/first-process.ts'
import { closeMade, type MadeRoot } from '../process/made-root.ts'
import {
  type PreparedStep,
  releaseStep,
  type StepInput,
  type StepPart,
} from '../process/prepared-step.ts'
import type { PlaceInput } from '../process/step-place.ts'
import type { ProcessSpec } from '../spec/process-spec.ts'
import type { ExitStatus, RunningProcess, StartOptions } from '../spec/sandbox.ts'
import type { StepSpec } from '../spec/step-spec.ts'
import { ContainerControl } from './container-control.ts'
import { streamsOf } from './process-streams.ts'
import { StepExecs } from './step-execs.ts'
import { stepFailure } from './step-failure.ts'
import { cancelledStepError, handleOf, ProcessHandle, stepHandle } from './step-handle.ts'
import { listenOn } from './step-listener.ts'
import type { ReadyStep, StepStarter } from './step-starter.ts'
import type { StartInput } from './step-tasks.ts'
import type { StepWorkers } from './step-workers.ts'

/** Where networks of steps come from: those of their own from a source. */
export type StepNetworks = NetworkSource | 'none' | 'host'

/** What a step is run with, besides what it is. */
export interface StepContext {
  readonly workers: StepWorkers
  readonly starter: StepStarter
  readonly network: StepNetworks
  /** What it must have of its own. */
  readonly required: readonly StepPart[]
  /** Gets how the step is isolated less than it should be. */
  readonly onNotice: (notice: TsbuildError) => void
}

interface RunContext {
  readonly networks: StepNetworks
  /** That of a container, or of a step with limits. */
  readonly group: ControlGroup | undefined
}

/** One step from its preparation to its last process. */
export class RunningStep {
  readonly #workers: StepWorkers
  readonly #starter: StepStarter
  readonly #options: StartOptions
  readonly #required: StepContext['required']
  readonly #onNotice: StepContext['onNotice']
  readonly #started = Promise.withResolvers<RunningProcess>()
  #kill: () => void = () => undefined
  readonly #cancelling = new AbortController()

  /** How it ended, once nothing is left of it. Rejections reach only those who await it. */
  readonly end: Promise<ExitStatus>

  /** Starts preparing at once. */
  constructor(
    spec: ProcessSpec,
    options: StartOptions,
    { workers, starter, network, required, onNotice }: StepContext,
  ) {
    this.#workers = workers
    this.#starter = starter
    this.#required = required
    this.#onNotice = onNotice
    this.#options = options
    this.end = this.#runToEnd(spec, network)
    this.end.catch(() => undefined)
  }

  /** The handle, once the process runs. @throws as `Sandbox.start` does */
  async started(): Promise<RunningProcess> {
    return await handleOf(this.#started.promise, this.end)
  }

  /** Ends everything in the step's namespaces; `end` then rejects with CANCELLED. */
  cancel(): void {
    this.#cancelling.abort()
    this.#kill()
  }

  #isCancelled(): boolean {
    return this.#cancelling.signal.aborted
  }

  async #runToEnd(spec: ProcessSpec, network: StepNetworks): Promise<ExitStatus> {
    const { signal } = this.#options
    const onAbort = (): void => this.cancel()
    signal?.addEventListener('abort', onAbort)
    try {
      if (signal?.aborted) throw cancelledStepError()
      const status = await this.#runWith(spec, network)
      if (this.#isCancelled()) throw cancelledStepError()
      return status
    } catch (cause) {
      throw this.#isCancelled() ? cancelledStepError() : cause
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** Takes what steps share, for as long as this one needs it. */
  async #runWith(spec: ProcessSpec, networks: StepNetworks): Promise<ExitStatus> {
    const step = stepSpec(spec)
    const groups = this.#workers.groups[step.security]
    await using taken = new Resources()
    const namespaces = openStepNamespaces(spec, taken)
    const ownGroup = makeStepGroup(step)
    taken.use({ [Symbol.asyncDispose]: async () => ownGroup?.remove() })
    const group = ownGroup ?? groups.take()
    if (spec.resources.io !== undefined && limitsOnlyDirectIo(group))
      this.#onNotice(directIoNotice())
    taken.use({ [Symbol.dispose]: () => ownGroup ?? groups.giveBack(group) })
    const network = await takeNetwork(networks, taken)
    const { directories: cgroups } = group
    const devicesLimited = step.security === 'sandbox' && limitsDevices(group)
    const { stdin = 'empty', terminal } = this.#options
    const hasTerminal = terminal !== undefined
    const input: StepInput = {
      ...{ spec: step, network, namespaces, cgroups, devicesLimited, hasTerminal },
    }
    const { args, ulimits } = spec
    const launchGroup = { directories: cgroups, isOfStep: ownGroup !== undefined }
    const launch = { args, ulimits, stdin, terminal, group: launchGroup }
    const reached = watchLimits(group)
    const used = group.watchUsage()
    const start = { input, required: this.#required, launch }
    const ready = await this.#starter(start)
    for (const part of ready.step.lacking) this.#onNotice(missingPartNotice(part))
    const end = await this.#runIn(ready, start, { networks, group: ownGroup })
    return statusOf(end, { reached: reached(), used: used() })
  }

  /** Takes the step down in any case. */
  async #runIn(
    ready: ReadyStep,
    { input, launch }: StartInput,
    { networks, group: ownGroup }: RunContext,
  ): Promise<ProcessEnd> {
    const { step } = ready
    const first = adoptFirst(step.first)
    const { onConnect, isFollowed } = this.#options
    const listeners = step.root.sockets.map((socket) => listenOn(socket, onConnect))
    const execs = new StepExecs((beside, signal) =>
      orAbandon(first, this.#workers.thread.run('launchBeside', beside, { signal })),
    )
    let container: ContainerControl | undefined
    const kill = (): void => {
      first.signal('SIGKILL')
      container?.release()
    }
    this.#kill = kill
    // Whatever is being started there does not keep the step from ending.
    const endOthers = async (): Promise<void> => {
      kill()
      await execs.close()
      if (step.pids !== 'own' && ownGroup !== undefined) await endProcesses(ownGroup.directories)
    }
    let made: MadeRoot | undefined
    try {
      const launched = await orAbandon(first, ready.launch(this.#cancelling.signal))
      made = launched.made
      const child = launched.pid === first.pid ? first : new Child(launched.pid, endOthers)
      const { pid } = launched
      const control = {
        ...{ pid, end: this.end },
        signal: (signal: NodeJS.Signals | number) => child.signal(signal),
        kill,
      }
      container = new ContainerControl({ pid, step, made, group: ownGroup })
      const { methods } = container
      const handle = new ProcessHandle(streamsOf(launched.io, this.end), control)
      const { ulimits, group } = launch
      const shared = { step, ulimits, group, made, cancelled: this.#cancelling.signal }
      const exec: RunningProcess['exec'] = async (spec, options) => {
        if (container?.isPaused === true) throw pausedError()
        return await execs.start(shared, spec, options)
      }
      this.#started.resolve(stepHandle(handle, { exec, ...methods }))
      if (this.#isCancelled()) kill()
      else if (isFollowed) this.#makeSpare(input, networks).catch(() => undefined)
      return await child.end
    } finally {
      container?.close()
      for (const listener of listeners) listener[Symbol.dispose]()
      await endOthers()
      if (made !== undefined) closeMade(made)
      await takeDown(step, first)
    }
  }

  /** Beside this step, for one like it. A failure is reported by the step that needs a place. */
  async #makeSpare(
    { spec, network: current, namespaces, devicesLimited }: PlaceInput,
    networks: StepNetworks,
  ): Promise<void> {
    const network = await upcomingNetwork(networks, current)
    if (!spec.init) return
    const { init, security } = spec
    const input = { spec: { init, security }, network, namespaces, devicesLimited, cgroups: [] }
    await this.#workers.thread.run('makeSpare', input)
  }
}

/** A step as its thread gets it: without handles. */
function stepSpec({ network: _, container, ...spec }: ProcessSpec): StepSpec {
  if (container === undefined) return spec
  const { namespaces: __, ...settings } = container
  return {
    ...{ ...spec, container: settings },
    security: settings.privileged === true ? 'insecure' : spec.security,
  }
}

function pausedError(): TsbuildError {
  return new TsbuildError('the container is paused: resume it before something is started in it', {
    code: 'CONFLICT',
  })
}

/** What a thread that ended too early has started is not known: it would keep pid 1 from ending. */
async function orAbandon<T>(first: Child, starting: Promise<T>): Promise<T> {
  try {
    return await starting
  } catch (cause) {
    if (cause instanceof TsbuildError && cause.code === 'PEER_GONE') first.abandon()
    throw cause
  }
}

/** @param taken gives it back */
async function takeNetwork(
  networks: StepNetworks,
  taken: Resources,
): Promise<StepInput['network']> {
  if (typeof networks === 'string') return networks
  const network = await networks.take()
  taken.use({ [Symbol.dispose]: () => networks.giveBack(network) })
  return network
}

async function upcomingNetwork(
  networks: StepNetworks,
  current: StepInput['network'],
): Promise<StepInput['network']> {
  if (typeof networks === 'string' || typeof current === 'string') return current
  return await networks.upcoming(current)
}

async function takeDown(step: PreparedStep, first: Child): Promise<void> {
  try {
    await releaseStep(step, first)
  } catch (cause) {
    throw stepFailure(cause, 'end the step')
  }
}

/** @returns which limit of the group was reached since this call; a group serves many steps */
function watchLimits(group: ControlGroup): () => ExitStatus['reached'] {
  const before = group.events()
  return () => {
    const now = group.events()
    if (now.outOfMemory > before.outOfMemory) return 'memory'
    return now.tooManyProcesses > before.tooManyProcesses ? 'pids' : undefined
  }
}

/** What the group has counted is of all processes; the kernel's own count lacks those that were orphaned. */
function statusOf(
  { exitCode, signal, used }: ProcessEnd,
  counted: { readonly reached: ExitStatus['reached']; readonly used: GroupUsage },
): ExitStatus {
  const { reached } = counted
  return {
    exitCode,
    ...(signal === undefined ? {} : { signal }),
    ...(reached === undefined ? {} : { reached }),
    used: { ...used, ...counted.used },
  }
}
