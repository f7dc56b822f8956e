/** One mount as data: made by snapshots and by the solver, performed by a sandbox. */
export type Mount = OverlayMount | BindMount | TmpfsMount

/** The union of read-only directories, topmost first, with an optional writable one on top. */
export interface OverlayMount {
  readonly type: 'overlay'
  /** Absolute path inside the container; `/` is the root. */
  readonly target: string
  /** Absolute host paths in overlay form, topmost layer first. May be empty. */
  readonly lower: readonly string[]
  /** Absent: the mount is read-only. Both are on one file system. */
  readonly writable?: { readonly upper: string; readonly work: string }
}

export interface BindMount {
  readonly type: 'bind'
  readonly target: string
  /** Absolute host path. */
  readonly source: string
  readonly readonly: boolean
}

export interface TmpfsMount {
  readonly type: 'tmpfs'
  readonly target: string
  /** Bytes. */
  readonly size?: number
}
