import { clampDirectory } from '#builder/layer'

/** A directory in overlay form. */
export interface ClampTask {
  readonly directory: string
  /** Milliseconds. */
  readonly latest: number
}

/** Makes nothing in a layer's directory newer than a time. */
export function clampTimes({ directory, latest }: ClampTask): void {
  clampDirectory(directory, latest)
}
