/**
 * Directories and files that a root is assembled from, below one directory. They lie on a tmpfs that
 * exists only in the step's mount namespace.
 */
export interface Scaffold {
  /** The directory. */
  readonly base: string
  /** Where the root is mounted. */
  readonly root: string
  /** A procfs of the step's pid namespace, until it is moved into the root. */
  readonly proc: string
  /** A sysfs and the step's devices, likewise. */
  readonly sys: string
  readonly dev: string
  /** An empty directory that cannot be written to. */
  readonly empty: string
  /** A device that is empty and takes everything; its attributes cannot be changed. */
  readonly nothing: string
  /** Where the devices of /dev are made when they cannot be opened in /dev itself. */
  readonly devices: string
  /** For the step's own files of /etc. */
  readonly etc: string
  /** For files and sockets that are in memory only. */
  readonly files: string
  /** For mounts of which only a part is shown. */
  readonly whole: string
}

/** The paths below `base`. */
export function scaffoldPaths(base: string): Scaffold {
  return {
    base,
    root: `${base}/root`,
    proc: `${base}/proc`,
    sys: `${base}/sys`,
    dev: `${base}/dev`,
    empty: `${base}/empty`,
    nothing: `${base}/nothing`,
    devices: `${base}/devices`,
    etc: `${base}/etc`,
    files: `${base}/files`,
    whole: `${base}/whole`,
  }
}
