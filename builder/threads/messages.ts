import type { StopFlag } from '#core'
import type { PlainError } from './plain-error.ts'

/** To a thread: perform a task. Tasks are performed one at a time, in the order of the requests. */
export interface TaskRequest {
  readonly kind: 'run'
  /** Repeated in each reply. */
  readonly id: number
  readonly task: string
  readonly input: unknown
  /** Set when the task is to stop at its next checkpoint. */
  readonly stop: StopFlag
}

/** To a thread: end after the tasks that were requested before. */
export interface CloseRequest {
  readonly kind: 'close'
}

/** From a thread: any number of updates, and then the result or the failure. */
export type TaskReply =
  | { readonly kind: 'update'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'done'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly error: PlainError }
