import { mkdirSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { isUserNamespace } from '#builder/linux'
import { TsbuildError } from '#core'
import { noticesOf, processStatus } from '../host/rights.ts'
import type { ControlGroup, Controller } from '../limits/control-groups.ts'
import { type NetworkKind, NetworkPool, networkKindOf } from '../network/network-pool.ts'
import type { ExitStatus, ProcessSpec, RunOptions, Sandbox } from '../spec/sandbox.ts'
import { LauncherPool } from './launcher-pool.ts'
import type { WorkerSettings } from './messages.ts'
import { RunningStep, type StepWorkers } from './running-step.ts'
import { WorkerClient } from './worker-client.ts'

export interface InProcessOptions {
  /** A directory that only this builder uses, on the host; a mount point is made in it. */
  readonly temporary: string
  /** Is told, once, when steps are limited or isolated less than they should be. */
  readonly onNotice?: (notice: TsbuildError) => void
}

/**
 * A sandbox that needs nothing but the kernel: worker threads of this process enter the step's
 * namespaces, one to furnish them, one to start the step in them. They start right away, so that the
 * first step need not wait for them.
 */
export function inProcessSandbox(options: InProcessOptions): Sandbox {
  return new InProcessSandbox(options)
}

class InProcessSandbox implements Sandbox {
  readonly #options: InProcessOptions
  readonly #running = new Set<RunningStep>()
  readonly #crews = new Map<string, Promise<StepWorkers>>()
  #nextId = 1

  constructor(options: InProcessOptions) {
    this.#options = { ...options, onNotice: onceEach(options.onNotice) }
    for (const notice of noticesOf(processStatus())) this.#options.onNotice?.(notice)
    // A failure shows again in the step that wants them.
    this.#crewFor('none').then(
      ({ launchers: { sandbox } }) => sandbox.giveBack(sandbox.take()),
      () => undefined,
    )
  }

  async run(spec: ProcessSpec, options: RunOptions): Promise<ExitStatus> {
    const network = networkKindOf(spec.network)
    const step = new RunningStep(this.#nextId++, await this.#crewFor(network), options)
    this.#running.add(step)
    try {
      return await step.run(spec, network)
    } finally {
      this.#running.delete(step)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const crews = await Promise.all(this.#crews.values())
    this.#crews.clear()
    this.#killAll()
    await Promise.all(
      crews.flatMap(({ places, launchers, networks }) => [
        places.close(),
        ...Object.values(launchers).map((pool) => pool.close()),
        networks.close(),
      ]),
    )
    process.off('exit', this.#killAll)
  }

  /**
   * One crew serves all steps, except in a user namespace: a thread that has left the host's network
   * cannot come back there, since that network belongs to somebody else.
   */
  #crewFor(network: NetworkKind): Promise<StepWorkers> {
    const key = isUserNamespace() && network === 'host' ? 'host' : 'any'
    const crew = this.#crews.get(key)
    if (crew !== undefined) return crew
    if (this.#crews.size === 0) process.on('exit', this.#killAll)
    const started = startWorkers(this.#options)
    this.#crews.set(key, started)
    return started
  }

  /** A thread that waits for its step would keep the process from exiting until the step ends. */
  readonly #killAll = (): void => {
    for (const step of this.#running) step.kill()
  }
}

async function startWorkers(options: InProcessOptions): Promise<StepWorkers> {
  const scaffold = `${options.temporary}/scaffold`
  mkdirSync(scaffold, { recursive: true, mode: 0o700 })
  const settings: WorkerSettings = {
    scaffold,
  }
  // Node's pool of threads comes into being with the first asynchronous call. That must happen
  // before a thread enters a namespace, because threads are born where their creator is.
  await stat('/')
  const script = new URL('./namespace-worker.js', import.meta.url)
  const places: StepWorkers['places'] = new WorkerClient(script, settings)
  places.start()
  const networks = new NetworkPool(() => makeNetworkNamespace(places))
  const onGroup = ({ lacking }: ControlGroup): void => {
    for (const [controller, failure] of lacking) options.onNotice?.(noticeOf(controller, failure))
  }
  const launchers = {
    sandbox: new LauncherPool('sandbox', onGroup),
    insecure: new LauncherPool('insecure', onGroup),
  }
  return { places, launchers, networks }
}

/** All groups lack the same, so a notice is passed on once. */
function onceEach(onNotice: InProcessOptions['onNotice']): (notice: TsbuildError) => void {
  const said = new Set<string>()
  return (notice) => {
    if (said.has(notice.message)) return
    said.add(notice.message)
    onNotice?.(notice)
  }
}

function noticeOf(controller: Controller, { message, hint }: TsbuildError): TsbuildError {
  const effect =
    controller === 'devices'
      ? 'steps cannot open device files that they make'
      : 'nothing limits how many processes a step starts'
  return new TsbuildError(`${effect}: ${message}`, { code: 'SANDBOX_UNAVAILABLE', hint })
}

/** Its number is negative, as the steps have the others. */
async function makeNetworkNamespace(places: StepWorkers['places']): Promise<number> {
  const reply = await places.ask({ kind: 'make-network', id: nextNetworkId-- })
  if (reply.kind !== 'network') throw new Error(`unexpected answer ${reply.kind}`)
  return reply.namespace
}

let nextNetworkId = -1
