import type { Tree } from '#core'

/** What `.dockerignore` decides. Paths are text, relative to the root, without leading slash. */
export interface IgnoreMatcher {
  isIgnored(path: string): boolean
  /** False only when nothing below the ignored directory `path` can be included again. */
  mayContainIncluded(path: string): boolean
}

export interface DirectoryTreeOptions {
  /** What it ignores does not exist. */
  readonly ignore?: IgnoreMatcher
  /** `root` (default): everything belongs to 0:0, as in a build context. */
  readonly owner?: 'root' | 'kept'
}

export declare function directoryTree(root: string, options?: DirectoryTreeOptions): Tree
