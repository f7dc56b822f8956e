import { isUserNamespace } from '#builder/linux'
import { canMakeNamespaces, missingNamespacesError, processStatus } from '#builder/namespaces'
import { OwnTurns } from '#builder/threads'
import { TsbuildError } from '#core'
import { hostKinds } from '../container/step-namespaces.ts'
import { confinementNotices } from '../host/confinement-notices.ts'
import { missingLimitNotice, noticesOf, sharedNetworkNotice, strictError } from '../host/notices.ts'
import type { ControlGroup } from '../limits/control-groups.ts'
import type { PreparerOptions, ShownFiles } from '../process/preparer.ts'
import type { RuntimeProgram } from '../runtime/runtime-program.ts'
import type { SharedKind } from '../spec/namespace-holder.ts'
import type { OpenedRoot } from '../spec/opened-root.ts'
import type { ProcessSpec } from '../spec/process-spec.ts'
import type { RunningProcess, Sandbox, StartOptions } from '../spec/sandbox.ts'
import { openedRoot } from './container-control.ts'
import { joinedNetwork } from './joined-network.ts'
import { openNetworks } from './open-networks.ts'
import { RunningStep, type StepNetworks } from './running-step.ts'
import { ownStarter, runtimeStarter } from './step-starter.ts'
import { closeWorkers, type StepWorkers, startWorkers } from './step-workers.ts'

/** How the sandbox is opened. */
export interface InProcessOptions {
  /** A directory that only this builder uses, on the host; a mount point is made in it. */
  readonly temporary: string
  /** Default: `temporary` is all. */
  readonly shown?: ShownFiles
  /** Whether a step fails rather than share the network or the processes of the host. Default: false. */
  readonly isStrict?: boolean
  /** Starts the processes, in roots and namespaces that are the same without it. Default: this process does. */
  readonly runtime?: RuntimeProgram
  /** Called once for each thing in which steps are limited or isolated less than they should be. */
  readonly onNotice?: (notice: TsbuildError) => void
}

/**
 * A sandbox that needs nothing but the kernel: a worker thread of this process enters the step's
 * namespaces to assemble the root, and starts the process in them. It starts right away, so that the first
 * step need not wait for it.
 */
export function inProcessSandbox(options: InProcessOptions): Sandbox {
  return new InProcessSandbox(options)
}

class InProcessSandbox implements Sandbox {
  readonly #places: PreparerOptions
  readonly #isStrict: boolean
  readonly #runtime: RuntimeProgram | undefined
  readonly #onNotice: (notice: TsbuildError) => void
  readonly #running = new Set<RunningStep>()
  readonly #turns = new OwnTurns()
  readonly #workers = new Map<string, Promise<StepWorkers>>()
  #networks: Promise<StepNetworks> | undefined

  constructor(options: InProcessOptions) {
    const { temporary, shown = { store: temporary, folders: [temporary] } } = options
    this.#places = { temporary, shown }
    this.#isStrict = options.isStrict ?? false
    this.#runtime = options.runtime
    this.#onNotice = onceEach(options.onNotice)
    for (const notice of noticesOf(processStatus())) this.#onNotice(notice)
    for (const notice of confinementNotices(shown.store)) this.#onNotice(notice)
    if (!canMakeNamespaces()) return
    // A failure is reported by the first step that uses them.
    this.#workersFor([]).catch(() => undefined)
  }

  async start(spec: ProcessSpec, options: StartOptions = {}): Promise<RunningProcess> {
    const missing = missingNamespacesError()
    if (missing !== undefined) throw missing
    if (this.#runtime !== undefined && !spec.init) throw programAsFirstError(this.#runtime)
    if (this.#runtime !== undefined && spec.container !== undefined) {
      throw noContainersError(this.#runtime)
    }
    const network = await this.#networkOf(spec.network)
    const workers = await this.#workersFor(hostKinds(spec.container?.namespaces ?? {}, network))
    // The first steps have waited for the same workers.
    await this.#turns.take()
    const starter =
      this.#runtime === undefined ? ownStarter(workers) : runtimeStarter(workers, this.#runtime)
    const step = new RunningStep(spec, options, {
      ...{ workers, starter, network, onNotice: this.#onNotice },
      required: this.#isStrict ? ['proc'] : [],
    })
    this.#running.add(step)
    const onEnd = (): void => void this.#running.delete(step)
    step.end.then(onEnd, onEnd)
    return await step.started()
  }

  async openRoot(mounts: ProcessSpec['mounts']): Promise<OpenedRoot> {
    const missing = missingNamespacesError()
    if (missing !== undefined) throw missing
    const { thread } = await this.#workersFor([])
    return openedRoot(await thread.run('openRoot', mounts))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const workers = await Promise.all(this.#workers.values())
    this.#workers.clear()
    for (const step of this.#running) step.cancel()
    await Promise.allSettled([...this.#running].map((step) => step.end))
    const networks = await this.#networks?.catch(() => undefined)
    if (typeof networks === 'object') await networks[Symbol.asyncDispose]()
    await Promise.all(workers.map(closeWorkers))
  }

  async #networkOf(wanted: ProcessSpec['network']): Promise<StepNetworks> {
    if (wanted === 'none' || wanted === 'host') return wanted
    if (wanted !== 'default') return joinedNetwork(wanted)
    this.#networks ??= this.#openNetworks()
    return await this.#networks
  }

  /** Tried once: what is missing does not come while a build runs. */
  async #openNetworks(): Promise<StepNetworks> {
    const { thread } = await this.#workersFor([])
    try {
      return await openNetworks(thread, this.#onNotice)
    } catch (cause) {
      if (!(cause instanceof TsbuildError) || cause.code !== 'SANDBOX_UNAVAILABLE') throw cause
      const notice = sharedNetworkNotice(cause)
      if (this.#isStrict) throw strictError(notice)
      this.#onNotice(notice)
      return 'host'
    }
  }

  /**
   * The same workers serve all steps, except in a user namespace: a thread that has left the host's
   * network cannot come back there, since that network belongs to another user namespace.
   * @param onHost the kinds of namespaces that it must still have from the host
   */
  #workersFor(onHost: readonly SharedKind[]): Promise<StepWorkers> {
    const key = isUserNamespace() ? onHost.join(' ') : ''
    const known = this.#workers.get(key)
    if (known !== undefined) return known
    const started = startWorkers(this.#places, (group) => this.#reportGroup(group))
    this.#workers.set(key, started)
    return started
  }

  #reportGroup({ lacking }: ControlGroup): void {
    for (const [controller, failure] of lacking) {
      this.#onNotice(missingLimitNotice(controller, failure))
    }
  }
}

/** What it would do otherwise than tsbuild is not known. */
function noContainersError({ kind }: RuntimeProgram): TsbuildError {
  return new TsbuildError(`${kind} starts steps of builds, and no containers`, {
    code: 'UNSUPPORTED',
    hint: 'start containers without a runtime',
  })
}

/** A pid namespace that a runtime makes would not end with the builder. */
function programAsFirstError({ kind }: RuntimeProgram): TsbuildError {
  return new TsbuildError(`${kind} cannot start a program as pid 1 of a step`, {
    code: 'SANDBOX_UNAVAILABLE',
    hint: 'start it beside an init, or without a runtime',
  })
}

/** All groups lack the same, so a notice is passed on once. */
function onceEach(onNotice: InProcessOptions['onNotice']): (notice: TsbuildError) => void {
  const seen = new Set<string>()
  return (notice) => {
    if (seen.has(notice.message)) return
    seen.add(notice.message)
    onNotice?.(notice)
  }
}
