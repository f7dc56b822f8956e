import { serveTasks, threadSettings } from '#builder/threads'
import { TsbuildError } from '#core'
import * as tasks from './tasks.ts'

/** What the tests start the thread with. */
export interface Settings {
  readonly failsToStart?: boolean
  readonly closed?: Int32Array
  readonly isTyped?: boolean
}

const { failsToStart, closed, isTyped } = threadSettings<Settings>() ?? {}
if (failsToStart === true) throw new Error('cannot start')

serveTasks(tasks, {
  toError: (failure, task) =>
    isTyped === true
      ? new TsbuildError(`${task} failed`, { code: 'STEP_FAILED', cause: failure })
      : failure,
  onClose: () => {
    if (closed !== undefined) Atomics.store(closed, 0, 1)
  },
})
