import type { ResourceLimits, Worker } from 'node:worker_threads'
import {
  makeStopFlag,
  programLoader,
  type StopFlag,
  setStopFlag,
  type ThreadStart,
  TsbuildError,
  throwIfCancelled,
} from '#core'
import type { CloseRequest, TaskReply, TaskRequest } from './messages.ts'
import { peerGoneError } from './peer-gone.ts'
import { fromPlainError } from './plain-error.ts'
import type { TaskInput, TaskMap, TaskOutput, TaskUpdate } from './task-map.ts'

/** How a thread is started. */
export interface ThreadOptions {
  /** What the thread does, for errors: `work on files`. */
  readonly doing: string
  /** A module that calls `serveTasks`. */
  readonly script: URL
  /** For `threadSettings` in the thread. */
  readonly settings?: unknown
  readonly resourceLimits?: ResourceLimits
}

/** What goes with one request. */
export interface TaskOptions<U = unknown> {
  readonly signal?: AbortSignal | undefined
  readonly onUpdate?: (update: U) => void
}

/** A request that has no result yet. */
interface Pending {
  readonly stop: StopFlag
  readonly onUpdate: ((update: never) => void) | undefined
  readonly resolve: (value: unknown) => void
  readonly reject: (cause: unknown) => void
}

/** A started thread. */
interface RunningThread {
  readonly worker: Worker
  readonly ended: Promise<void>
}

/**
 * The caller's side of one worker thread: starts it at the first request, and again after it ended by
 * itself. It is always asked to stop and never terminated: that would abort the process while the
 * thread is loading native code (ADR 9). The thread keeps the process running only while it has a task.
 */
export class TaskThread<T extends TaskMap> {
  readonly #options: ThreadOptions
  readonly #pending = new Map<number, Pending>()
  #running: RunningThread | undefined
  #isClosed = false
  #nextId = 1

  constructor(options: ThreadOptions) {
    this.#options = options
  }

  /** Starts the thread, so that the first request need not wait for it. */
  start(): void {
    this.#start()
  }

  /**
   * Performs a task after those that were requested before. An abort asks the task to stop at its next
   * checkpoint; this settles when it has ended in any case.
   * @throws {TsbuildError} what the task threw; CANCELLED after an abort or once the thread is closed;
   *   PEER_GONE when the thread ended in the middle
   */
  async run<K extends keyof T & string>(
    task: K,
    input: TaskInput<T[K]>,
    options: TaskOptions<TaskUpdate<T[K]>> = {},
  ): Promise<TaskOutput<T[K]>> {
    const { signal, onUpdate } = options
    const { doing } = this.#options
    throwIfCancelled(signal, doing)
    if (this.#isClosed) throw this.#cancelledError()
    const stop = makeStopFlag()
    const onAbort = (): void => setStopFlag(stop)
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      return (await this.#request(task, input, { stop, onUpdate })) as TaskOutput<T[K]>
    } catch (cause) {
      throwIfCancelled(signal, doing)
      throw cause
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** Asks all tasks to stop, and ends the thread when they have ended. What is requested later fails. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const { stop } of this.#pending.values()) setStopFlag(stop)
    if (this.#running === undefined) return
    const { worker, ended } = this.#running
    const request: CloseRequest = { kind: 'close' }
    worker.ref()
    worker.postMessage(request)
    await ended
  }

  #request(
    task: string,
    input: unknown,
    { stop, onUpdate }: Pick<Pending, 'stop' | 'onUpdate'>,
  ): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const { worker } = this.#start()
    const id = this.#nextId++
    const request: TaskRequest = { kind: 'run', id, task, input, stop }
    worker.postMessage(request)
    worker.ref()
    this.#pending.set(id, { stop, onUpdate, resolve, reject })
    return promise
  }

  #start(): RunningThread {
    if (this.#running !== undefined) return this.#running
    const { script, settings, resourceLimits } = this.#options
    // Loaded when needed: a fully cached build starts no thread.
    const threads = process.getBuiltinModule('node:worker_threads')
    const start: ThreadStart = programLoader()?.threadStart(script) ?? { script, argv: [] }
    const worker = new threads.Worker(start.script, {
      workerData: settings,
      argv: [...start.argv],
      eval: start.eval ?? false,
      // With an inherited environment, Node adds variables of its own to child processes.
      env: {},
      ...(resourceLimits === undefined ? {} : { resourceLimits }),
      // Descriptors travel between the threads, and every task closes what it opens.
      trackUnmanagedFds: false,
    })
    worker.unref()
    const { promise: ended, resolve: onEnd } = Promise.withResolvers<void>()
    const running = { worker, ended }
    worker.on('message', (reply: TaskReply) => this.#settle(worker, reply))
    worker.on('messageerror', (cause) => this.#end(running, cause))
    worker.on('error', (cause) => this.#end(running, cause))
    worker.on('exit', (code) => {
      this.#end(running, new Error(`it exited with code ${code}`))
      onEnd()
    })
    this.#running = running
    return running
  }

  #settle(worker: Worker, reply: TaskReply): void {
    const pending = this.#pending.get(reply.id)
    if (pending === undefined) return
    if (reply.kind === 'update') {
      pending.onUpdate?.(reply.value as never)
      return
    }
    this.#pending.delete(reply.id)
    // While it is being closed, its end is awaited.
    if (this.#pending.size === 0 && !this.#isClosed) worker.unref()
    if (reply.kind === 'done') pending.resolve(reply.value)
    else pending.reject(fromPlainError(reply.error))
  }

  #end(running: RunningThread, cause: unknown): void {
    if (this.#running !== running) return
    this.#running = undefined
    const failure = this.#isClosed
      ? this.#cancelledError()
      : peerGoneError(`${this.#options.doing}: a worker thread ended`, cause)
    const pending = [...this.#pending.values()]
    this.#pending.clear()
    for (const { reject } of pending) reject(failure)
  }

  #cancelledError(): TsbuildError {
    return new TsbuildError(`${this.#options.doing}: cancelled`, { code: 'CANCELLED' })
  }
}
