/** Kinds of namespaces that processes of several sandboxes can share. */
export type SharedKind = 'pid' | 'ipc' | 'uts' | 'net'

/** A running process, for others that share namespaces with it. */
export interface NamespaceHolder {
  /**
   * Opens a namespace of it, or its mounts.
   * @returns a descriptor that the caller closes
   * @throws {TsbuildError} STEP_FAILED when it has ended, UNSUPPORTED where it has no namespaces
   */
  openNamespace(kind: SharedKind | 'mnt'): number
}

/** A network namespace that the caller has made, with all that is in it. */
export interface MadeNetwork {
  /** Its descriptor; it is used until the start is over. */
  readonly namespace: number
}
