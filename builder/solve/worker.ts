import { parentPort, workerData } from 'node:worker_threads'
import { heedStopFlag } from '#core'
import {
  type ApplyTask,
  type BlobTask,
  type ClampTask,
  type CopiedFiles,
  type CopyTask,
  checkLayer,
  checksum,
  clampTimes,
  copyFiles,
  digestLayer,
  type FilesTask,
  type FillTask,
  fillDirectory,
  giveOwners,
  keepOwners,
  type LeftTask,
  type MergeTask,
  mergeDirectories,
  type PackTask,
  packLayer,
  type RewriteTask,
  rewriteTimes,
  type UnpackTask,
  unpackLayer,
  unpackTrees,
} from './work.ts'
import { describeFailure, type WorkFailure } from './work-failure.ts'
import type { WorkThreadData } from './work-thread.ts'

/** What a worker thread is asked to do, and what it answers. */
export interface WorkTasks {
  checkLayer: (task: BlobTask) => Promise<void>
  clampTimes: (task: ClampTask) => void
  rewriteTimes: (task: RewriteTask) => ReturnType<typeof rewriteTimes>
  checksum: (task: FilesTask) => ReturnType<typeof checksum>
  copyFiles: (task: CopyTask) => Promise<CopiedFiles>
  digestLayer: typeof digestLayer
  fillDirectory: (task: FillTask) => ReturnType<typeof fillDirectory>
  giveOwners: typeof giveOwners
  keepOwners: (task: LeftTask) => void
  mergeDirectories: (task: MergeTask) => void
  packLayer: (task: PackTask) => ReturnType<typeof packLayer>
  unpackLayer: (task: ApplyTask) => ReturnType<typeof unpackLayer>
  unpackTrees: (task: UnpackTask) => void
}

const tasks: WorkTasks = {
  checkLayer,
  clampTimes,
  rewriteTimes,
  checksum: (task) => checksum(task),
  copyFiles,
  digestLayer,
  fillDirectory,
  giveOwners,
  keepOwners,
  mergeDirectories,
  packLayer,
  unpackLayer,
  unpackTrees,
}

export interface WorkRequest {
  readonly name: keyof WorkTasks
  readonly task: unknown
}

export type WorkAnswer = { readonly value: unknown } | { readonly failure: WorkFailure }

const port = parentPort
heedStopFlag((workerData as WorkThreadData).stop)

let underway: Promise<void> = Promise.resolve()

port?.on('message', (request: WorkRequest | 'close') => {
  if (request === 'close') underway.then(() => process.exit())
  else underway = work(request).then((answer) => port.postMessage(answer))
})

/** Errors cross as data, since classes do not survive the crossing. */
async function work({ name, task }: WorkRequest): Promise<WorkAnswer> {
  try {
    const perform = tasks[name] as (task: unknown) => unknown
    return { value: await perform(task) }
  } catch (cause) {
    return { failure: describeFailure(cause) }
  }
}
