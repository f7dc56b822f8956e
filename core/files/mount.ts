/** One mount as data: made by snapshots and by the solver, performed by a sandbox. */
export type Mount = OverlayMount | DetachedMount | BindMount | TmpfsMount | FileMount | SocketMount

/** The union of read-only directories, topmost first, with an optional writable one on top. */
export interface OverlayMount {
  readonly type: 'overlay'
  /** Absolute path inside the container; `/` is the root. */
  readonly target: string
  /** Absolute host paths in overlay form, topmost layer first. May be empty, and repeat itself. */
  readonly lower: readonly string[]
  /** Absent: the mount is read-only. */
  readonly writable?: WritablePart
  /**
   * What programs sync is on the disk then, and the directories can be mounted again. Absent: the caller syncs what
   * it keeps, and the directories serve one mount.
   */
  readonly lasting?: boolean
  /**
   * Descriptor of a file system that is mounted nowhere yet, to which paths of some directories lead. The
   * mount makes it a part of the step's mount namespace, once.
   */
  readonly filesystem?: number
  /** The part of the union that is shown; links in it do not lead out of the union. */
  readonly path?: string
  /** The step may not write to it, although it has a writable directory. */
  readonly readonly?: boolean
  /** What is shown belongs to the user of the step. */
  readonly owned?: boolean
}

/** The two directories of an overlay that is written to, on one file system. */
export interface WritablePart {
  readonly upper: string
  readonly work: string
}

/** A file system that is mounted nowhere yet; it can be mounted once. */
export interface DetachedMount {
  readonly type: 'detached'
  readonly target: string
  /** Descriptor of its root, shared by all threads. */
  readonly descriptor: number
  readonly writable: boolean
  /** The part of it that is shown; links in it do not lead out of it. */
  readonly path?: string
  /** The step may not write to it, although it is writable. */
  readonly readonly?: boolean
  /** What is shown belongs to the user of the step. */
  readonly owned?: boolean
}

/** A file or directory of the host. */
export interface BindMount {
  readonly type: 'bind'
  readonly target: string
  /** Absolute host path. */
  readonly source: string
  readonly readonly: boolean
  /** The part of the source that is shown; links in it do not lead out of the source. */
  readonly path?: string
  /** What is shown is given to the user of the step, for good. */
  readonly owned?: boolean
  /** What is mounted below the source is shown, too. */
  readonly recursive?: boolean
  /**
   * Whether that can be written to where the mount is `readonly`: `never` needs Linux 5.12; default: `never` where the
   * kernel has it.
   */
  readonly writableBelow?: 'always' | 'never'
  /** How mounts that are made below it later pass between the host and the container. Default: they do not. */
  readonly propagation?: MountPropagation
  /** It is the store's own, so where the kernel labels files, these get the label of steps' files, for good. */
  readonly labelled?: boolean
}

/**
 * `slave`: from the host; `shared`: in both directions. With `r`, the same of all mounts below.
 * Spec: mount_namespaces(7)
 */
export type MountPropagation = 'private' | 'rprivate' | 'slave' | 'rslave' | 'shared' | 'rshared'

/** An empty directory in memory. */
export interface TmpfsMount {
  readonly type: 'tmpfs'
  readonly target: string
  /** Bytes. */
  readonly size?: number
  readonly readonly?: boolean
  /** It belongs to the user of the step. */
  readonly owned?: boolean
  /** Permission bits; default: those of the directory that it hides, or open to all. */
  readonly mode?: number
  /** Default: root. */
  readonly uid?: number
  readonly gid?: number
  /** What files in it cannot do. Default: `suid` and `dev`. */
  readonly forbids?: readonly ('exec' | 'suid' | 'dev')[]
  /** More options of the file system, as `nr_inodes=1000`. */
  readonly options?: readonly string[]
}

/** A file that exists only for the step, and in memory only. */
export interface FileMount {
  readonly type: 'file'
  readonly target: string
  readonly content: Uint8Array
  /** It is no secret: where a sandbox has no memory for files, it may be on a disk. */
  readonly isPublic?: boolean
  readonly uid: number
  readonly gid: number
  /** Permission bits. */
  readonly mode: number
}

/** A socket that only the step can reach; connections to it are handed to the caller. */
export interface SocketMount {
  readonly type: 'socket'
  readonly target: string
  readonly uid: number
  readonly gid: number
  readonly mode: number
}
