/** What a step said, without what differs between two runs of it. */
export interface Said {
  readonly title: string
  readonly lines: readonly string[]
}
