import {
  type ApplyTask,
  type CopiedFiles,
  type CopyTask,
  checksum,
  copyFiles,
  type FilesTask,
  type PackTask,
  packLayer,
  type UnpackTask,
  unpackLayer,
  unpackTree,
} from './work.ts'
import { describeFailure } from './work-failure.ts'

/** What a worker thread is asked to do, and what it answers. */
export interface WorkTasks {
  checksum: (task: FilesTask) => ReturnType<typeof checksum>
  copyFiles: (task: CopyTask) => Promise<CopiedFiles>
  packLayer: (task: PackTask) => ReturnType<typeof packLayer>
  unpackLayer: (task: ApplyTask) => ReturnType<typeof unpackLayer>
  unpackTree: (task: UnpackTask) => void
}

const tasks: WorkTasks = {
  checksum: (task) => checksum(task),
  copyFiles,
  packLayer,
  unpackLayer,
  unpackTree,
}

export interface WorkRequest {
  readonly name: keyof WorkTasks
  readonly task: unknown
}

/** Entry of the worker threads. Errors cross as data, since classes do not survive the crossing. */
export async function work({ name, task }: WorkRequest): Promise<unknown> {
  try {
    const perform = tasks[name] as (task: unknown) => unknown
    return { value: await perform(task) }
  } catch (cause) {
    return { failure: describeFailure(cause) }
  }
}
