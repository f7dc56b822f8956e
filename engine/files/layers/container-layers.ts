/** The files of a container, without what is mounted in it: directories in overlay form. */
export interface ContainerLayers {
  /** What the container has changed. */
  readonly upper: string
  /** What is below, topmost first. */
  readonly lower: readonly string[]
}
