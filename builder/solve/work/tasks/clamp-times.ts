import { clampDirectory } from '#builder/layer'

/** A directory in overlay form. */
interface ClampTask {
  readonly directory: string
  /** In milliseconds. */
  readonly maxMtime: number
}

/** Makes nothing in a layer's directory newer than a time. */
export function clampTimes({ directory, maxMtime }: ClampTask): void {
  clampDirectory(directory, maxMtime)
}
