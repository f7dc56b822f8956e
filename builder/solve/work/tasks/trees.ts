import {
  attributesOf,
  type FileAction,
  type FileContent,
  type FilesInput,
  type SourceFile,
} from '#builder/files'
import { stackTree } from '#builder/layer'
import { digestFile, directoryTree } from '#builder/tree'
import { type FileDigests, openFileDigests } from '#cache'
import type { Name, Tree } from '#core'
import { parseDockerignore } from '#parser'

/** A file tree by its paths on disk: this is what is posted to threads. */
export type TreeSpec =
  | {
      readonly kind: 'context'
      readonly directory: string
      /** Text of the `.dockerignore`; empty without one. */
      readonly ignore: string
      /** See `DirectoryTreeOptions`. */
      readonly modes?: 'kept' | 'git'
      /** It is removed after the build, so the digests of its files are not stored. */
      readonly transient?: boolean
    }
  /** Directories in overlay form, topmost first. */
  | { readonly kind: 'layers'; readonly directories: readonly string[] }

/** Actions and the trees that they read. */
export interface FilesTask {
  readonly actions: readonly FileAction[]
  readonly root: TreeSpec
  readonly sources: readonly TreeSpec[]
  /** The store's root: file digests are kept there, and it is never part of a context. */
  readonly store: string
}

/** The trees of a task, open until disposed of; what was digested is stored then. */
export interface OpenTrees extends FilesInput, Disposable {
  /** Stores a digest that was computed elsewhere, so that the next build does not read the file. */
  readonly remember: (file: SourceFile, content: FileContent) => void
}

/** Opens the trees of a task. Contents of context files that are stored are not read again. */
export function openTrees(task: FilesTask): OpenTrees {
  const opened: Tree[] = []
  const close = (): void => {
    for (const tree of opened) tree.close()
  }
  try {
    /** Files whose digest is not stored: they may change without a trace in what stat reports. */
    const volatileFiles = new Set<Name>()
    for (const spec of [task.root, ...task.sources]) {
      opened.push(openTree(spec, task, (path) => volatileFiles.add(path)))
    }
    const [root, ...sources] = opened
    if (root === undefined) throw new Error('a task has a root')
    const index = openIndex(task)
    const remember: OpenTrees['remember'] = ({ path, stat: { identity } }, { digest, xattrs }) => {
      if (identity === undefined || volatileFiles.has(path)) return
      index?.put(path, identity, { digest, isBare: xattrs?.size === 0 })
    }
    const dispose = (): void => {
      try {
        index?.flush()
      } finally {
        index?.[Symbol.dispose]()
        close()
      }
    }
    const read = reader(index, remember)
    return { root, sources, read, remember, [Symbol.dispose]: dispose }
  } catch (cause) {
    close()
    throw cause
  }
}

function reader(
  index: FileDigests | undefined,
  remember: OpenTrees['remember'],
): FilesInput['read'] {
  return (file) => {
    const { path, stat, tree } = file
    const known = stat.identity && index?.get(path, stat.identity)
    const digest = known?.digest ?? digestFile(() => tree.openFile(path))
    const content = known?.isBare ? { digest } : { digest, xattrs: attributesOf(file) }
    if (known === undefined || content.xattrs?.size === 0) remember(file, content)
    return content
  }
}

function openIndex({ sources, store }: FilesTask): FileDigests | undefined {
  const context = sources.find((source) => source.kind === 'context')
  if (context === undefined || context.transient) return undefined
  return openFileDigests(store, context.directory)
}

function openTree(
  spec: TreeSpec,
  { store }: Pick<FilesTask, 'store'>,
  onUnseenWrites?: (path: Name) => void,
): Tree {
  if (spec.kind === 'layers') return stackTree(spec.directories)
  const { directory, ignore, modes = 'kept' } = spec
  const rules = ignore === '' ? {} : { ignore: parseDockerignore(ignore) }
  return directoryTree(directory, { ...rules, modes, leftOut: store, onUnseenWrites })
}
