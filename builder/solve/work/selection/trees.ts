import {
  attributesOf,
  type FileAction,
  type FileContent,
  type FilesInput,
  type SourceFile,
} from '#builder/files'
import { damagedFileError, NotedDigests, stackTree } from '#builder/layer'
import { digestFile, directoryTree } from '#builder/tree'
import { contentsOfFolder, type FileDigests, openFileDigests } from '#cache'
import type { Digest, Name, Tree } from '#core'
import { parseDockerignore } from '#parser'
import { meteredTree } from '../limits/metered-tree.ts'
import type { WorkMeter } from '../limits/work-meter.ts'

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
  | {
      readonly kind: 'layers'
      /** As `stackTree` takes them, topmost first. */
      readonly lowers: readonly string[]
      /** Digests of files are kept under this name; default: they are not. */
      readonly digests?: string
    }

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
  /**
   * Stores a digest that was computed elsewhere, so that the next build does not read the file. That of a layer's file
   * is compared with what was noted of it when it was copied.
   * @throws {TsbuildError} DIGEST_MISMATCH for a file of a layer that the disk has damaged
   */
  readonly remember: (file: SourceFile, content: FileContent) => void
  /**
   * The same where few files are read: of small ones nothing is looked up or stored, which is quicker than to read and
   * write all that is stored.
   */
  readonly few: Pick<OpenTrees, 'read' | 'remember'>
  /** The stored digest of a file's content. */
  readonly knownDigest: (file: SourceFile) => Digest | undefined
  /** Where the digests of a context are stored. */
  readonly index: FileDigests | undefined
  /** Whether something was read that may become different while all that the kernel says of it stays the same. */
  readonly hasVolatileFiles: () => boolean
}

/** What actions select from, open until disposed of. */
interface SelectedTrees extends Pick<FilesInput, 'root' | 'sources'>, Disposable {}

/**
 * Opens the trees of a task without their contents.
 * @param meter counts what is looked at in the sources
 * @param onUnseenWrites see `DirectoryTreeOptions`
 */
export function openSelected(
  task: FilesTask,
  meter: WorkMeter | undefined,
  onUnseenWrites?: (path: Name) => void,
): SelectedTrees {
  const opened: Tree[] = []
  const close = (): void => {
    for (const tree of opened) tree.close()
  }
  try {
    for (const spec of [task.root, ...task.sources]) {
      opened.push(openTree(spec, task, onUnseenWrites))
    }
    const [root, ...sources] = opened
    if (root === undefined) throw new Error('a task has a root')
    const metered = sources.map((tree) => (meter ? meteredTree(tree, meter) : tree))
    return { root, sources: metered, [Symbol.dispose]: close }
  } catch (cause) {
    close()
    throw cause
  }
}

/**
 * Opens the trees of a task. Contents of context files that are stored are not read again.
 * @param meter counts what is looked at and read
 */
export function openTrees(task: FilesTask, meter?: WorkMeter): OpenTrees {
  /** Files whose digest is not stored: they may change without a trace in what stat reports. */
  const volatileFiles = new Set<Name>()
  let hasAttributes = false
  const trees = openSelected(task, meter, (path) => volatileFiles.add(path))
  try {
    const index = openIndex(task)
    const noted = new NotedSources(trees.sources, task, index)
    const remember: OpenTrees['remember'] = (file, { digest, xattrs }) => {
      const { path, stat } = file
      const { identity } = stat
      if ((xattrs?.size ?? 0) > 0) hasAttributes = true
      noted.check(file, digest)
      if (identity === undefined || volatileFiles.has(path)) return
      index?.put(path, identity, { digest, isBare: xattrs?.size === 0 })
    }
    const hasVolatileFiles = (): boolean => hasAttributes || volatileFiles.size > 0
    const dispose = (): void => {
      try {
        index?.flush()
      } finally {
        index?.[Symbol.dispose]()
        noted[Symbol.dispose]()
        trees[Symbol.dispose]()
      }
    }
    const onAttributes = (): void => {
      hasAttributes = true
    }
    const read = reader({ index, remember, meter, onAttributes })
    const knownDigest: OpenTrees['knownDigest'] = ({ path, stat }) =>
      stat.identity && index?.get(path, stat.identity)?.digest
    const readAnew = reader({ index: undefined, remember: () => undefined, meter, onAttributes })
    const few: OpenTrees['few'] = {
      read: (file) => (isSmall(file) ? readAnew(file) : read(file)),
      remember: (file, content) => (isSmall(file) ? undefined : remember(file, content)),
    }
    const rest = { read, few, remember, knownDigest, index, hasVolatileFiles }
    return { ...trees, ...rest, [Symbol.dispose]: dispose }
  } catch (cause) {
    trees[Symbol.dispose]()
    throw cause
  }
}

/**
 * What is known of the files of layers that a task reads: what was noted when they were copied, opened with the first
 * file of each source, and what they held when they were read before.
 */
class NotedSources implements Disposable {
  readonly #lowers = new Map<Tree, readonly string[]>()
  readonly #opened = new Map<Tree, NotedDigests | undefined>()
  readonly #store: string
  readonly #index: FileDigests | undefined

  constructor(
    trees: readonly Tree[],
    { sources, store }: FilesTask,
    index: FileDigests | undefined,
  ) {
    this.#store = store
    this.#index = index
    for (const [at, tree] of trees.entries()) {
      const source = sources[at]
      if (source?.kind === 'layers') this.#lowers.set(tree, source.lowers)
    }
  }

  /** @throws {TsbuildError} DIGEST_MISMATCH */
  check({ tree, path, stat: { identity } }: SourceFile, digest: Digest): void {
    const lowers = this.#lowers.get(tree)
    if (lowers === undefined) return
    const known = identity && this.#index?.get(path, identity)?.digest
    // Nothing writes to a layer's folder.
    if (known !== undefined && known !== digest) throw damagedFileError(path)
    if (!this.#opened.has(tree)) {
      const find = (folder: string) => contentsOfFolder(this.#store, folder)
      this.#opened.set(tree, NotedDigests.open(lowers, find))
    }
    this.#opened.get(tree)?.check(path, digest)
  }

  [Symbol.dispose](): void {
    for (const noted of this.#opened.values()) noted?.[Symbol.dispose]()
  }
}

/** To read it takes less than to find its digest. */
const SMALL_BYTES = 64 << 10

function isSmall({ stat }: SourceFile): boolean {
  return stat.size <= SMALL_BYTES
}

interface ReaderDeps extends Pick<OpenTrees, 'index' | 'remember'> {
  readonly meter: WorkMeter | undefined
  /** Called where a file has attributes that count: they are read every time. */
  readonly onAttributes: () => void
}

function reader({ index, remember, meter, onAttributes }: ReaderDeps): FilesInput['read'] {
  return (file) => {
    const { path, stat, tree } = file
    const known = stat.identity && index?.get(path, stat.identity)
    if (known === undefined) meter?.read(stat.size)
    const digest = known?.digest ?? digestFile(() => tree.openFile(path))
    const content = known?.isBare ? { digest } : { digest, xattrs: attributesOf(file) }
    if (known === undefined || content.xattrs?.size === 0) remember(file, content)
    if ((content.xattrs?.size ?? 0) > 0) onAttributes()
    return content
  }
}

function openIndex({ sources, store }: FilesTask): FileDigests | undefined {
  const [source] = sources.filter((one) => digestsOf(one) !== undefined)
  const name = source && digestsOf(source)
  return name === undefined
    ? undefined
    : openFileDigests(store, name, { isSealed: source?.kind === 'layers' })
}

/** What the digests of the files of a tree are called; `undefined` where none are kept. */
export function digestsOf(tree: TreeSpec): string | undefined {
  if (tree.kind === 'layers') return tree.digests
  return tree.transient ? undefined : tree.directory
}

function openTree(
  spec: TreeSpec,
  { store }: Pick<FilesTask, 'store'>,
  onUnseenWrites?: (path: Name) => void,
): Tree {
  if (spec.kind === 'layers') return stackTree(spec.lowers)
  const { directory, ignore, modes = 'kept' } = spec
  const rules = ignore === '' ? {} : { ignore: parseDockerignore(ignore) }
  return directoryTree(directory, { ...rules, modes, leftOut: store, onUnseenWrites })
}
