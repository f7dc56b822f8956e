import { TaskThread } from '#builder/threads'
import type * as tasks from './tasks.ts'

/** A thread that reads the files of an image. */
export type Scanner = Pick<TaskThread<typeof tasks>, 'run'> & AsyncDisposable

/** Opens a scanner; its thread is started by the first task. */
export function openScanner(): Scanner {
  const thread = new TaskThread<typeof tasks>({
    doing: 'list packages',
    script: new URL('./scan-worker.js', import.meta.url),
  })
  return {
    run: (task, input, options) => thread.run(task, input, options),
    [Symbol.asyncDispose]: () => thread.close(),
  }
}
