/** What one `--mount=` of RUN asks for; targets are absolute. */
export type PlannedMount =
  | BindMountPlan
  | CacheMountPlan
  | TmpfsMountPlan
  | SecretMountPlan
  | SshMountPlan
  | ScriptMountPlan

/** Absent unless set, so that cache keys do not change. */
interface Ownable {
  /** All files belong to the user of the step; the source is not changed. */
  readonly owned?: true
}

/** Files from elsewhere; what the step writes to them is dropped. */
export interface BindMountPlan extends Ownable {
  readonly kind: 'bind'
  readonly target: string
  /** Index into the sources of the vertex. */
  readonly source: number
  /** What is shown of it, absolute. */
  readonly path: string
  readonly readonly: boolean
}

/** A directory that outlives the build. */
export interface CacheMountPlan extends Ownable {
  readonly kind: 'cache'
  readonly target: string
  /** Equal names are one directory, unless it begins as something else. */
  readonly id: string
  readonly sharing: 'shared' | 'private' | 'locked'
  readonly readonly: boolean
  /** Index into the sources: what it begins as; absent: empty. */
  readonly source: number | undefined
  /** What is shown of it, absolute. */
  readonly path: string
  /** Of the directory when it is created; absent: the default. */
  readonly owner: MountOwner | undefined
}

/** An empty file system in memory. */
interface TmpfsMountPlan extends Ownable {
  readonly kind: 'tmpfs'
  readonly target: string
  /** Bytes. */
  readonly size: number | undefined
  readonly readonly: boolean
}

/** A secret as a file, a variable or both. */
export interface SecretMountPlan {
  readonly kind: 'secret'
  readonly id: string
  /** The file; absent: only a variable. */
  readonly target: string | undefined
  /** The variable; absent: only a file. */
  readonly env: string | undefined
  readonly required: boolean
  readonly owner: MountOwner
}

/** The socket of an SSH agent. */
export interface SshMountPlan {
  readonly kind: 'ssh'
  readonly id: string
  readonly target: string
  readonly required: boolean
  readonly owner: MountOwner
}

/** A heredoc that is a program. */
export interface ScriptMountPlan {
  readonly kind: 'script'
  readonly target: string
  readonly content: string
}

/** Owner and permissions of what a mount creates. */
export interface MountOwner {
  readonly uid: number
  readonly gid: number
  readonly mode: number
}
