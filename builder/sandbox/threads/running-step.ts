import type { ProcessEnd } from '#builder/linux'
import { Resources, TsbuildError } from '#core'
import { missingPartNotice } from '../host/notices.ts'
import type { ControlGroup } from '../limits/control-groups.ts'
import { limitsDevices, makeStepGroup } from '../limits/step-groups.ts'
import type { NetworkKind } from '../network/network-program.ts'
import type { PreparedStep } from '../process/prepared-step.ts'
import { type SharedChild, signalChild } from '../process/shared-child.ts'
import type { ProcessSpec } from '../spec/process-spec.ts'
import type { ExitStatus, RunningProcess, StartOptions } from '../spec/sandbox.ts'
import type { StepLauncher } from './launcher-pool.ts'
import { cancelledStepError, handleOf, StepHandle } from './step-handle.ts'
import { listenOn } from './step-listener.ts'
import type { StepWorkers } from './step-workers.ts'

/** What a step is run with, besides what it is. */
export interface StepContext {
  readonly workers: StepWorkers
  readonly network: NetworkKind
  /** Gets how the step is isolated less than it should be. */
  readonly onNotice: (notice: TsbuildError) => void
}

/** One step from its preparation to its last process. */
export class RunningStep {
  readonly #workers: StepWorkers
  readonly #options: StartOptions
  readonly #onNotice: StepContext['onNotice']
  readonly #started = Promise.withResolvers<RunningProcess>()
  #first: SharedChild | undefined
  #isCancelled = false

  /** How it ended, once nothing is left of it. Rejections reach only those who await it. */
  readonly end: Promise<ExitStatus>

  /** Starts preparing at once. */
  constructor(
    spec: ProcessSpec,
    options: StartOptions,
    { workers, network, onNotice }: StepContext,
  ) {
    this.#workers = workers
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
    this.#isCancelled = true
    this.#kill()
  }

  #kill(): void {
    if (this.#first !== undefined) signalChild(this.#first, 'SIGKILL')
  }

  async #runToEnd(spec: ProcessSpec, network: NetworkKind): Promise<ExitStatus> {
    const { signal } = this.#options
    const onAbort = (): void => this.cancel()
    signal?.addEventListener('abort', onAbort)
    try {
      if (signal?.aborted) throw cancelledStepError()
      const status = await this.#runWith(spec, network)
      if (this.#isCancelled) throw cancelledStepError()
      return status
    } catch (cause) {
      throw this.#isCancelled ? cancelledStepError() : cause
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** Takes what steps share, for as long as this one needs it. */
  async #runWith(spec: ProcessSpec, kind: NetworkKind): Promise<ExitStatus> {
    const { preparer, networks } = this.#workers
    const launchers = this.#workers.launchers[spec.security]
    await using taken = new Resources()
    const ownGroup = makeStepGroup(spec)
    taken.use({ [Symbol.asyncDispose]: async () => ownGroup?.remove() })
    const launcher = launchers.take()
    taken.use({ [Symbol.dispose]: () => launchers.giveBack(launcher) })
    const own = kind === 'own' ? await networks.take() : undefined
    taken.use({ [Symbol.dispose]: () => own && networks.giveBack(own) })
    const network = own?.namespace ?? (kind === 'host' ? 'host' : 'none')
    const { directories: cgroups } = ownGroup ?? launcher.group
    const devicesLimited = spec.security === 'sandbox' && limitsDevices(ownGroup ?? launcher.group)
    const step = await preparer.run('prepare', { spec, network, cgroups, devicesLimited })
    for (const part of step.lacking) this.#onNotice(missingPartNotice(part))
    return await this.#runIn(step, spec, { launcher, ownGroup })
  }

  /** The launcher takes the step down in any case, so it gets also one that was cancelled meanwhile. */
  async #runIn(
    step: PreparedStep,
    { args, ulimits }: ProcessSpec,
    { launcher, ownGroup }: StepRuntime,
  ): Promise<ExitStatus> {
    this.#first = step.first
    if (this.#isCancelled) this.#kill()
    const { onConnect, stdin = 'empty' } = this.#options
    const listeners = step.root.sockets.map((socket) => listenOn(socket, onConnect))
    const reached = watchLimits(ownGroup ?? launcher.group)
    const cgroups = ownGroup?.directories
    try {
      const ended = await launcher.thread.run(
        'launch',
        { step, args, ulimits, stdin, cgroups },
        {
          onUpdate: (launched) => {
            const control = { end: this.end, kill: () => this.#kill() }
            this.#started.resolve(new StepHandle(launched, control))
          },
        },
      )
      return statusOf(ended, reached())
    } catch (cause) {
      // A launcher that ended too early has not taken the step down.
      if (cause instanceof TsbuildError && cause.code === 'PEER_GONE') this.#kill()
      throw cause
    } finally {
      for (const listener of listeners) listener[Symbol.dispose]()
    }
  }
}

/** What one step is run with. */
interface StepRuntime {
  readonly launcher: StepLauncher
  /** For its own limits; absent: the launcher's will do. */
  readonly ownGroup: ControlGroup | undefined
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

function statusOf({ exitCode, signal }: ProcessEnd, reached: ExitStatus['reached']): ExitStatus {
  return {
    exitCode,
    ...(signal === undefined ? {} : { signal }),
    ...(reached === undefined ? {} : { reached }),
  }
}
