import { parentPort, workerData } from 'node:worker_threads'
import { checkpoint, watchStopFlag } from '#core'
import type { CloseRequest, TaskReply, TaskRequest } from './messages.ts'
import { toPlainError } from './plain-error.ts'
import type { TaskMap } from './task-map.ts'

/** How a thread serves its tasks. */
export interface ServeOptions {
  /** Turns what a task threw into what is posted; default: as it is. */
  readonly toError?: (failure: unknown, task: string) => unknown
  /** Called once, when the thread ends because it was closed. */
  readonly onClose?: () => void
}

/**
 * The thread's side of the protocol: performs the tasks that are requested by a `TaskThread`, one at a
 * time in their order, until it is closed. Failures are posted as data and never end the thread.
 */
export function serveTasks(tasks: TaskMap, options: ServeOptions = {}): void {
  const port = parentPort
  if (port === null) throw new Error('not a worker thread')
  const post = (reply: TaskReply): void => port.postMessage(reply)
  let last: Promise<void> = Promise.resolve()
  port.on('message', (request: TaskRequest | CloseRequest) => {
    last = last.then(() =>
      request.kind === 'close' ? end(options) : serve(tasks, request, { ...options, post }),
    )
  })
}

/** What the `TaskThread` was made with, as `settings`. */
export function threadSettings<T>(): T {
  return workerData as T
}

function end({ onClose }: ServeOptions): void {
  onClose?.()
  process.exit()
}

interface Serving extends ServeOptions {
  readonly post: (reply: TaskReply) => void
}

async function serve(tasks: TaskMap, request: TaskRequest, serving: Serving): Promise<void> {
  const { id, task, input, stop } = request
  const { post, toError = (failure) => failure } = serving
  const perform = tasks[task] as PostedTask | undefined
  try {
    watchStopFlag(stop)
    checkpoint()
    if (perform === undefined) throw new Error(`no task ${task}`)
    const value = await perform(input, (update) => post({ kind: 'update', id, value: update }))
    post({ kind: 'done', id, value })
  } catch (cause) {
    post({ kind: 'failed', id, error: toPlainError(toError(cause, task)) })
  }
}

/** A task as it is called: what was posted has the types that the caller's side checked. */
type PostedTask = (input: unknown, post: (update: unknown) => void) => unknown
