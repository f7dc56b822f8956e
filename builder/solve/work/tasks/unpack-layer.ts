import { type AppliedLayer, applyLayer, layerOwners } from '#builder/layer'
import { type BlobTask, checkDiffId, tarOf } from './blob.ts'

/** A layer's blob, and the directory to create of it. */
export interface ApplyTask extends BlobTask {
  readonly directory: string
  /** Absent: try without them first. */
  readonly lowers: readonly string[] | undefined
}

/** Turns a layer's blob into an overlay directory, and checks that it is the layer it claims to be. */
export async function unpackLayer(task: ApplyTask): Promise<AppliedLayer> {
  const { lowers, diffId } = task
  const applied = await applyLayer(tarOf(task), task.directory, {
    owners: layerOwners(),
    ...(lowers === undefined ? {} : { lowers }),
  })
  checkDiffId(diffId, applied.diffId)
  return applied
}
