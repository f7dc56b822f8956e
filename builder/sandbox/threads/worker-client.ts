import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { TsbuildError } from '#core'
import { type CloseRequest, type Failed, fromPlainError, toPlainError } from './messages.ts'

/** Messages of one conversation carry its number. */
interface Numbered {
  readonly id: number
}

/**
 * The main thread's side of a sandbox worker: starts the thread when it is first needed and again
 * after it died, and hands each answer to whoever asked.
 */
export class WorkerClient<Request extends Numbered, Reply extends Numbered> {
  readonly #script: URL
  readonly #settings: unknown
  readonly #listeners = new Map<number, (reply: Reply | Failed) => void>()
  #worker: Worker | undefined

  /** @param settings what the thread is started with */
  constructor(script: URL, settings: unknown) {
    this.#script = script
    this.#settings = settings
  }

  /** Starts the thread, so that the first request need not wait for it. */
  start(): Worker {
    if (this.#worker !== undefined) return this.#worker
    // An empty environment, because Node adds some of its own variables to those of child processes.
    // Descriptors travel between the threads, so no thread may close what it happens to have opened.
    const worker = new Worker(this.#script, {
      env: {},
      workerData: this.#settings,
      trackUnmanagedFds: false,
    })
    worker.unref()
    worker.on('message', (reply: Reply) => this.#listeners.get(reply.id)?.(reply))
    worker.on('error', (cause) => this.#lost(worker, cause))
    worker.on('exit', (code) => this.#lost(worker, new Error(`it ended with code ${code}`)))
    this.#worker = worker
    return worker
  }

  /** Sends a request and listens for its answers until `forget`. */
  send(request: Request, listener: (reply: Reply | Failed) => void): void {
    const worker = this.start()
    this.#listeners.set(request.id, listener)
    worker.ref()
    worker.postMessage(request)
  }

  /** Sends a request that has one answer. @throws {TsbuildError} the failure, when that is it */
  async ask(request: Request): Promise<Reply> {
    const { promise, resolve, reject } = Promise.withResolvers<Reply>()
    this.send(request, (reply) => {
      if (isFailed(reply)) reject(fromPlainError(reply.error))
      else resolve(reply)
    })
    try {
      return await promise
    } finally {
      this.forget(request.id)
    }
  }

  /** Ends a conversation. */
  forget(id: number): void {
    this.#listeners.delete(id)
    if (this.#listeners.size === 0) this.#worker?.unref()
  }

  /** Ends the thread; whoever still waits hears of a failure. */
  async close(): Promise<void> {
    const worker = this.#worker
    if (worker === undefined) return
    this.#lost(worker, new TsbuildError('the sandbox was closed', { code: 'CANCELLED' }))
    const ended = once(worker, 'exit')
    const request: CloseRequest = { kind: 'close' }
    worker.ref()
    worker.postMessage(request)
    await ended
  }

  #lost(worker: Worker, cause: unknown): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    const error = toPlainError(cause, 'a sandbox worker failed')
    const listeners = [...this.#listeners]
    this.#listeners.clear()
    for (const [id, listener] of listeners) listener({ kind: 'failed', id, error })
  }
}

function isFailed(reply: Numbered): reply is Failed {
  return 'kind' in reply && reply.kind === 'failed'
}
