/** What one `--mount=` of RUN asks for; targets are absolute. */
export type PlannedMount =
  | BindMountPlan
  | CacheMountPlan
  | TmpfsMountPlan
  | SecretMountPlan
  | SshMountPlan
  | ScriptMountPlan

/** Absent where it is not asked for, so that keys stay as they are. */
interface Ownable {
  /** Everything in it is given to the user of the step, which changes nothing of what it is from. */
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
  /** Of the directory itself, when it is made and where that is said. */
  readonly owner: MountOwner | undefined
}

export interface TmpfsMountPlan extends Ownable {
  readonly kind: 'tmpfs'
  readonly target: string
  /** Bytes. */
  readonly size: number | undefined
  readonly readonly: boolean
}

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

export interface MountOwner {
  readonly uid: number
  readonly gid: number
  readonly mode: number
}
