import { closeSync } from 'node:fs'
import { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { closeNamespaces } from '#builder/linux'
import { TsbuildError } from '#core'
import {
  type Exited,
  type Failed,
  fromPlainError,
  type Gone,
  type Launched,
  type LaunchRequest,
  type Prepared,
  type PrepareRequest,
} from './messages.ts'
import type { ExitStatus, ProcessSpec, RunOptions } from './sandbox.ts'
import type { WorkerClient } from './worker-client.ts'

/** The threads that all steps of a builder share. */
export interface StepWorkers {
  readonly places: WorkerClient<PrepareRequest, Prepared | Gone>
  readonly launcher: WorkerClient<LaunchRequest, Launched | Exited>
}

/** Milliseconds to wait for the end of output that somebody outside of the step holds open. */
const OUTPUT_GRACE = 1000

/** One step from its preparation to its last process. */
export class RunningStep {
  readonly #id: number
  readonly #workers: StepWorkers
  readonly #options: RunOptions
  readonly #gone = Promise.withResolvers<void>()
  readonly #exited = Promise.withResolvers<ExitStatus>()
  readonly #outputs: Promise<void>[] = []
  readonly #sockets: Socket[] = []
  #place: Prepared | undefined
  #killed = false
  #outputError: unknown

  constructor(id: number, workers: StepWorkers, options: RunOptions) {
    this.#id = id
    this.#workers = workers
    this.#options = options
    // They are awaited late or not at all when an earlier part fails.
    this.#gone.promise.catch(() => {})
    this.#exited.promise.catch(() => {})
  }

  async run(spec: ProcessSpec): Promise<ExitStatus> {
    const { signal } = this.#options
    const onAbort = (): void => this.kill()
    signal?.addEventListener('abort', onAbort)
    try {
      if (signal?.aborted) throw cancelled()
      const status = await this.#runIn(await this.#prepare(spec), spec)
      if (this.#outputError !== undefined) throw this.#outputError
      if (signal?.aborted) throw cancelled()
      return status
    } catch (cause) {
      throw signal?.aborted ? cancelled() : cause
    } finally {
      signal?.removeEventListener('abort', onAbort)
      this.#workers.places.forget(this.#id)
      this.#workers.launcher.forget(this.#id)
    }
  }

  /** Kills everything in the step's place; `run` then ends by itself. */
  kill(): void {
    this.#killed = true
    const place = this.#place
    if (place === undefined) return
    this.#place = undefined
    try {
      process.kill(place.init, 'SIGKILL')
    } catch {
      // It is gone already.
    }
    closeSync(place.control)
  }

  async #runIn(place: Prepared, spec: ProcessSpec): Promise<ExitStatus> {
    try {
      return await this.#launchAndWait(place, spec)
    } finally {
      this.kill()
      closeNamespaces(place.namespaces)
      closeSync(place.cwd)
      await this.#gone.promise
      await this.#lastOutput()
    }
  }

  #prepare(spec: ProcessSpec): Promise<Prepared> {
    const { promise, resolve, reject } = Promise.withResolvers<Prepared>()
    const fail = (failed: Failed): void => {
      const error = fromPlainError(failed.error)
      reject(error)
      this.#gone.reject(error)
    }
    const request: PrepareRequest = { kind: 'prepare', id: this.#id, spec, network: undefined }
    this.#workers.places.send(request, (reply) => {
      if (reply.kind === 'failed') fail(reply)
      else if (reply.kind === 'prepared') {
        this.#place = reply
        resolve(reply)
      } else {
        this.#gone.resolve()
      }
    })
    return promise
  }

  async #launchAndWait(place: Prepared, spec: ProcessSpec): Promise<ExitStatus> {
    if (this.#killed || this.#options.signal?.aborted) throw cancelled()
    const { namespaces, cwd, user, env } = place
    const request: LaunchRequest = {
      kind: 'launch',
      id: this.#id,
      args: spec.args,
      namespaces,
      cwd,
      user,
      env,
    }
    this.#workers.launcher.send(request, (reply) => {
      if (reply.kind === 'failed') this.#exited.reject(fromPlainError(reply.error))
      else if (reply.kind === 'exited') this.#exited.resolve(statusOf(reply))
      else {
        this.#read('stdout', reply.stdout)
        this.#read('stderr', reply.stderr)
      }
    })
    return await this.#exited.promise
  }

  /** Reads as fast as the receiver takes it; a full pipe makes the step wait. */
  #read(stream: 'stdout' | 'stderr', descriptor: number): void {
    const socket = new Socket({ fd: descriptor, readable: true, writable: false })
    this.#sockets.push(socket)
    socket.on('data', (data: Uint8Array) => {
      try {
        this.#options.onOutput(stream, data)
      } catch (cause) {
        this.#outputError ??= cause
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

function statusOf(reply: Exited): ExitStatus {
  const { exitCode, signal } = reply
  return signal === undefined ? { exitCode } : { exitCode, signal }
}

function cancelled(): TsbuildError {
  return new TsbuildError('the step was cancelled', { code: 'CANCELLED' })
}
