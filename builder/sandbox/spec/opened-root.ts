/** The root of a container as its processes see it, with all that is mounted in it. Disposing releases it. */
export interface OpenedRoot extends AsyncDisposable {
  /**
   * Opened with O_PATH. Paths below it are to be walked by descriptors: it belongs to what may be changing it.
   * Any thread of this process may use it until it is released.
   */
  readonly descriptor: number
}
