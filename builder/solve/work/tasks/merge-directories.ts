import { layerOwners, mergeLayers } from '#builder/layer'

/** A stack, and the directory to create of it. */
interface MergeTask {
  /** In overlay form, topmost first. */
  readonly directories: readonly string[]
  readonly directory: string
}

/** Makes one overlay directory of several. */
export function mergeDirectories({ directories, directory }: MergeTask): void {
  mergeLayers(directories, directory, { owners: layerOwners() })
}
