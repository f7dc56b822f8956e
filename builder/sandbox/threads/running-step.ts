import { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { Resources, TsbuildError } from '#core'
import type { ControlGroup } from '../limits/control-groups.ts'
import { limitsDevices, makeStepGroup } from '../limits/step-groups.ts'
import type { NetworkKind, NetworkPool } from '../network/network-pool.ts'
import { killProcess } from '../process/init-process.ts'
import type { ExitStatus, ProcessSpec, RunOptions } from '../spec/sandbox.ts'
import type { LauncherPool, StepLauncher } from './launcher-pool.ts'
import {
  type Ended,
  fromPlainError,
  type LaunchRequest,
  type NetworkMade,
  type NetworkRequest,
  type Prepared,
  type PrepareRequest,
} from './messages.ts'
import { listenOn } from './step-listener.ts'
import type { WorkerClient } from './worker-client.ts'

/** The threads that all steps of a builder share. */
export interface StepWorkers {
  readonly places: WorkerClient<PrepareRequest | NetworkRequest, Prepared | NetworkMade>
  readonly networks: NetworkPool
  readonly launchers: Readonly<Record<ProcessSpec['security'], LauncherPool>>
}

/** Milliseconds to wait for the end of output that somebody outside of the step holds open. */
const OUTPUT_GRACE = 1000

/** One step from its preparation to its last process. */
export class RunningStep {
  readonly #id: number
  readonly #workers: StepWorkers
  readonly #options: RunOptions
  readonly #outputs: Promise<void>[] = []
  readonly #sockets: Socket[] = []
  #init: number | undefined
  #killed = false
  #failure: unknown

  constructor(id: number, workers: StepWorkers, options: RunOptions) {
    this.#id = id
    this.#workers = workers
    this.#options = options
  }

  async run(spec: ProcessSpec, network: NetworkKind): Promise<ExitStatus> {
    const { signal } = this.#options
    const onAbort = (): void => this.kill()
    signal?.addEventListener('abort', onAbort)
    try {
      if (signal?.aborted) throw cancelled()
      const status = await this.#runWith(spec, network)
      if (this.#failure !== undefined) throw this.#failure
      if (this.#killed) throw cancelled()
      return status
    } catch (cause) {
      throw signal?.aborted ? cancelled() : cause
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** Kills everything in the step's place; `run` then ends by itself. */
  kill(): void {
    this.#killed = true
    if (this.#init !== undefined) killProcess(this.#init)
  }

  /** Takes what steps share, for as long as this one needs it. */
  async #runWith(spec: ProcessSpec, kind: NetworkKind): Promise<ExitStatus> {
    const { places, networks } = this.#workers
    const launchers = this.#workers.launchers[spec.security]
    await using taken = new Resources()
    const ownGroup = makeStepGroup(spec)
    taken.use({ [Symbol.asyncDispose]: async () => ownGroup?.remove() })
    const launcher = launchers.take()
    taken.use({ [Symbol.dispose]: () => launchers.giveBack(launcher) })
    const own = kind === 'own' ? await networks.take() : undefined
    taken.use({ [Symbol.dispose]: () => own && networks.giveBack(own) })
    const network = own?.namespace ?? (kind === 'host' ? 'host' : 'none')
    const group = ownGroup ?? launcher.group
    const devicesLimited = spec.security === 'sandbox' && limitsDevices(group)
    const place = await places.ask({
      kind: 'prepare',
      id: this.#id,
      ...{ spec, network, groups: group.places, devicesLimited },
    })
    if (place.kind !== 'prepared') throw new Error(`unexpected answer ${place.kind}`)
    return await this.#runIn(place, spec, { launcher, ownGroup })
  }

  /** The launcher takes the place down in any case, so it gets also one that is not needed any more. */
  async #runIn(
    place: Prepared,
    spec: ProcessSpec,
    { launcher, ownGroup }: Means,
  ): Promise<ExitStatus> {
    this.#init = place.init
    if (this.#killed) this.kill()
    const listeners = place.sockets.map((socket) => listenOn(socket, this.#options.onConnect))
    const { args, ulimits } = spec
    const groups = ownGroup?.places
    const request: LaunchRequest = {
      kind: 'launch',
      id: this.#id,
      ...{ place, args, ulimits, groups },
    }
    const reached = reachedLater(ownGroup ?? launcher.group)
    const { promise, resolve, reject } = Promise.withResolvers<ExitStatus>()
    launcher.client.send(request, (reply) => {
      if (reply.kind === 'launched') {
        this.#read('stdout', reply.stdout)
        this.#read('stderr', reply.stderr)
        return
      }
      // Its pid may be somebody else's from now on.
      this.#init = undefined
      if (reply.kind === 'ended') resolve(statusOf(reply, reached()))
      else reject(fromPlainError(reply.error))
    })
    try {
      return await promise
    } finally {
      launcher.client.forget(this.#id)
      for (const listener of listeners) listener[Symbol.dispose]()
      await this.#lastOutput()
    }
  }

  /** Reads as fast as the receiver takes it; a full pipe makes the step wait. */
  #read(stream: 'stdout' | 'stderr', descriptor: number): void {
    const socket = new Socket({ fd: descriptor, readable: true, writable: false })
    this.#sockets.push(socket)
    socket.on('data', (data: Uint8Array) => {
      try {
        this.#options.onOutput(stream, data)
      } catch (cause) {
        this.#failure ??= cause
        this.kill()
      }
    })
    const { promise, resolve } = Promise.withResolvers<void>()
    socket.on('error', () => {})
    socket.on('close', () => resolve())
    this.#outputs.push(promise)
  }

  async #lastOutput(): Promise<void> {
    const timer = new AbortController()
    const patience = delay(OUTPUT_GRACE, undefined, { signal: timer.signal }).catch(() => {})
    await Promise.race([Promise.all(this.#outputs), patience])
    timer.abort()
    for (const socket of this.#sockets) socket.destroy()
  }
}

/** What one step is run with. */
interface Means {
  readonly launcher: StepLauncher
  /** For its own limits; absent: the launcher's will do. */
  readonly ownGroup: ControlGroup | undefined
}

/** @returns tells which limit of the group was reached since this call; a group serves many steps */
function reachedLater(group: ControlGroup): () => ExitStatus['reached'] {
  const before = group.events()
  return () => {
    const now = group.events()
    if (now.outOfMemory > before.outOfMemory) return 'memory'
    return now.tooManyProcesses > before.tooManyProcesses ? 'pids' : undefined
  }
}

function statusOf({ exitCode, signal }: Ended, reached: ExitStatus['reached']): ExitStatus {
  return {
    exitCode,
    ...(signal === undefined ? {} : { signal }),
    ...(reached === undefined ? {} : { reached }),
  }
}

function cancelled(): TsbuildError {
  return new TsbuildError('the step was cancelled', { code: 'CANCELLED' })
}
