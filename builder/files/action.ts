/** One thing that COPY, ADD or WORKDIR does. Data only: it crosses threads and enters cache keys. */
export type FileAction = MkdirAction | CopyAction | WriteAction

/** WORKDIR: makes `path` and its parents; what exists keeps its mode and owner. */
export interface MkdirAction {
  readonly kind: 'mkdir'
  /** Absolute. */
  readonly path: string
  /** Of directories that are made. */
  readonly mode: number
  readonly owner?: Owner
}

/** COPY and ADD of files. */
export interface CopyAction {
  readonly kind: 'copy'
  /** Index into the sources. */
  readonly source: number
  /** As written, variables expanded; below the source's root, whatever `..` they hold. */
  readonly paths: readonly string[]
  /** Absolute; a trailing slash means that it is a directory. */
  readonly destination: string
  readonly owner?: Owner
  /** `--chmod` as written: octal, or symbolic as in chmod(1). */
  readonly chmod?: string
  /** `--exclude` patterns, relative to each copied directory. */
  readonly exclude: readonly string[]
  readonly parents: boolean
  /** Whether a source that is an archive is unpacked: `auto` for ADD. */
  readonly unpack: 'auto' | 'never'
  /** Whether `*`, `?` and `[` in paths are patterns. */
  readonly wildcards: boolean
}

/** A heredoc as the source of COPY or ADD. */
export interface WriteAction {
  readonly kind: 'write'
  /** File name, used when the destination is a directory. */
  readonly name: string
  readonly data: string
  /** As for `CopyAction`. */
  readonly destination: string
  readonly owner?: Owner
  readonly chmod?: string
}

/** `--chown` as written: names or numbers. Spec: looked up in the root that is written to. */
export interface Owner {
  readonly user: string
  readonly group?: string
}
