import { TaskThread } from '#builder/threads'
import type * as tasks from './volume-tasks.ts'
import type { FillTask } from './volume-tasks.ts'

/** The thread that works on the files of volumes; it starts at its first task. */
export class VolumeThread implements AsyncDisposable {
  readonly #thread: TaskThread<typeof tasks>

  constructor() {
    const script = new URL('./volume-worker.js', import.meta.url)
    this.#thread = new TaskThread<typeof tasks>({ doing: 'work on volumes', script })
  }

  /** See `fill` of the tasks. */
  async fill(task: FillTask): Promise<boolean> {
    return await this.#thread.run('fill', task)
  }

  /** Bytes of the files in directories. */
  async measure(directories: readonly string[]): Promise<readonly number[]> {
    return directories.length === 0 ? [] : await this.#thread.run('measure', directories)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread.close()
  }
}
