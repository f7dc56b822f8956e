import { clampTar } from '#builder/layer'
import type { DiffId } from '#core'

/** A layer's tar, and where its copy goes. */
interface RewriteTask {
  readonly tar: string
  /** A file to create. */
  readonly target: string
  /** In milliseconds. */
  readonly maxMtime: number
}

/** Writes a layer's tar again with no entry newer than a time. */
export function rewriteTimes(task: RewriteTask): {
  readonly diffId: DiffId
  readonly size: number
} {
  return clampTar(task.tar, task.target, task.maxMtime)
}
