import { isWhiteoutDevice, resolveInTree } from '#builder/layer'
import {
  baseOf,
  type Change,
  type Digest,
  type EntryChange,
  type FileStat,
  joinName,
  type Name,
  parentOf,
  type Tree,
  TsbuildError,
} from '#core'
import { componentsOf, shown } from './paths.ts'

/** What is put at a path: everything of a change but its path. */
export interface DraftEntry {
  readonly stat: FileStat
  readonly target?: Name | undefined
  readonly xattrs?: ReadonlyMap<string, Buffer> | undefined
  readonly open?: (() => number) | undefined
  readonly data?: Uint8Array | undefined
  readonly knownDigest?: (() => Digest | undefined) | undefined
  /** Equal for the names of one file. */
  readonly link?: symbol | undefined
}

/** A name in the draft. */
interface Node {
  entry: DraftEntry
  /** The root's directory of this name is not seen. */
  opaque: boolean
  /** What the root has in this directory; `undefined` until it is asked for. */
  rootNames: ReadonlySet<Name> | undefined
  readonly children: Map<Name, Node>
}

/** What is below a directory and was not put there. */
export interface LowerContent {
  readonly path: Name
  /** In walk order. */
  changes(): Iterable<Change>
}

const WHITEOUT = '.wh.'
const NO_NAMES: ReadonlySet<Name> = new Set()

/**
 * A root file system and what is written on top of it, in memory only: `changes()` gives what an
 * overlay's upper directory would hold.
 */
export class OverlayDraft {
  readonly #root: Tree
  readonly #top: Node
  /** Where `changes` has put each file. */
  readonly #paths = new Map<DraftEntry | symbol, Name>()

  constructor(root: Tree) {
    const stat = root.lstat('' as Name)
    if (stat === undefined) throw new Error('a tree has a root')
    this.#root = root
    this.#top = newNode({ stat })
  }

  /** Follows links inside the root, also those that were written; missing names are kept. */
  resolve(path: Name): Name {
    const root = this.#root
    const view: Tree = {
      lstat: (name) => this.lstat(name),
      readlink: (name) => this.readlink(name),
      readdir: (name) => root.readdir(name),
      openFile: (name) => root.openFile(name),
      xattrs: (name) => root.xattrs(name),
      close: () => root.close(),
    }
    return resolveInTree(view, path, { followLast: true })
  }

  lstat(path: Name): FileStat | undefined {
    let node = this.#top
    let at = '' as Name
    for (const name of componentsOf(path)) {
      const child = node.children.get(name)
      if (child === undefined) {
        return this.#rootNames(node, at).has(name) ? this.#root.lstat(path) : undefined
      }
      node = child
      at = joinName(at, name)
    }
    return node.entry.stat
  }

  /** Of a symbolic link, also one that was written. */
  readlink(path: Name): Name {
    return this.entryAt(path)?.target ?? this.#root.readlink(path)
  }

  /** What was put at `path` and is there still. */
  entryAt(path: Name): DraftEntry | undefined {
    let node: Node | undefined = this.#top
    for (const name of componentsOf(path)) node = node?.children.get(name)
    return node?.entry
  }

  /** Puts an entry over whatever is at `path`; its parent is a directory. The root stays as it is. */
  put(path: Name, entry: DraftEntry): void {
    if (path === '') return
    refuseNul(path)
    refuseWhiteout(path, entry.stat)
    const parentPath = parentOf(path)
    const parent = this.#directoryNode(parentPath)
    const old = parent.children.get(baseOf(path))
    if (old === undefined) {
      const node = newNode(entry)
      // Nothing of the root is below a name that the root does not have.
      if (!this.#rootNames(parent, parentPath).has(baseOf(path))) node.rootNames = NO_NAMES
      parent.children.set(baseOf(path), node)
      return
    }
    const isDirectory = entry.stat.type === 'directory'
    if (!isDirectory) {
      old.children.clear()
      old.rootNames = NO_NAMES
    } else if (old.entry.stat.type !== 'directory') {
      // What replaced the root's directory is replaced by another one: not by that of the root.
      old.opaque = this.#root.lstat(path)?.type === 'directory'
    }
    old.entry = entry
  }

  /** Something was put into the directory at `path`, or taken out of it. The root keeps its time. */
  touch(path: Name, mtimeMs: number): void {
    if (path === '') return
    const node = this.#directoryNode(path)
    node.entry = { ...node.entry, stat: { ...node.entry.stat, mtimeMs } }
  }

  /** Whether nothing was put below `path`. */
  isUntouched(path: Name): boolean {
    let node: Node | undefined = this.#top
    for (const name of componentsOf(path)) node = node?.children.get(name)
    return node === undefined || node.children.size === 0
  }

  /** The names that the root has in a directory, as far as they are seen. */
  namesIn(path: Name): ReadonlySet<Name> {
    let node = this.#top
    let at = '' as Name
    for (const name of componentsOf(path)) {
      if (!this.#rootNames(node, at).has(name)) return NO_NAMES
      at = joinName(at, name)
      const child = node.children.get(name)
      if (child === undefined) return this.#listRoot(path)
      node = child
    }
    return this.#rootNames(node, at)
  }

  /**
   * The changes of the layer, in walk order. The first name of a file has its content, later ones are hard
   * links to it.
   */
  changes(below: LowerContent | undefined): Iterable<Change> {
    this.#paths.clear()
    return this.#visit(below)
  }

  /** Where the content of a file that was put ended up; `undefined` when it was replaced. */
  contentPath(entry: DraftEntry): Name | undefined {
    return this.#paths.get(entry.link ?? entry)
  }

  /** Keeps the directories on the way in a list: a tree may be deeper than the call stack. */
  *#visit(below: LowerContent | undefined): Generator<Change> {
    const stack = [visitOf(this.#top, '' as Name)]
    for (let last = stack.at(-1); last !== undefined; last = stack.at(-1)) {
      const name = last.names.pop()
      const child = name === undefined ? undefined : last.node.children.get(name)
      if (name === undefined || child === undefined) {
        if (last.path === below?.path) yield* below.changes()
        stack.pop()
        continue
      }
      const path = joinName(last.path, name)
      yield this.#change(path, child.entry)
      if (child.entry.stat.type !== 'directory') continue
      if (child.opaque) yield { kind: 'opaque', path }
      stack.push(visitOf(child, path))
    }
  }

  #change(path: Name, entry: DraftEntry): Change {
    const first = this.contentPath(entry)
    if (first !== undefined) return { kind: 'entry', path, stat: entry.stat, hardlink: first }
    this.#paths.set(entry.link ?? entry, path)
    return toChange(path, entry)
  }

  /** The node of an existing directory, and those of its parents, as they are in the root. */
  #directoryNode(path: Name): Node {
    let node = this.#top
    let at = '' as Name
    for (const name of componentsOf(path)) {
      at = joinName(at, name)
      let child = node.children.get(name)
      if (child === undefined) {
        const stat = this.#root.lstat(at)
        if (stat?.type !== 'directory') throw new Error(`${shown(at)} is not a directory`)
        child = newNode({ stat })
        node.children.set(name, child)
      }
      node = child
    }
    return node
  }

  #rootNames(node: Node, path: Name): ReadonlySet<Name> {
    node.rootNames ??= this.#readRoot(node, path)
    return node.rootNames
  }

  #readRoot(node: Node, path: Name): ReadonlySet<Name> {
    if (node.opaque || node.entry.stat.type !== 'directory') return NO_NAMES
    return this.#listRoot(path)
  }

  #listRoot(path: Name): ReadonlySet<Name> {
    if (this.#root.lstat(path)?.type !== 'directory') return NO_NAMES
    return new Set(this.#root.readdir(path))
  }
}

/** A directory of which some names are still to be visited, the next one last. */
interface Visit {
  readonly node: Node
  readonly path: Name
  readonly names: Name[]
}

function visitOf(node: Node, path: Name): Visit {
  return { node, path, names: [...node.children.keys()].sort().reverse() }
}

function newNode(entry: DraftEntry): Node {
  return { entry, opaque: false, rootNames: undefined, children: new Map() }
}

/** The change that puts `entry` at `path`. */
export function toChange(path: Name, entry: DraftEntry): EntryChange {
  const { stat, target, xattrs, open, data, knownDigest } = entry
  return { kind: 'entry', path, stat, target, xattrs, open, data, knownDigest }
}

/** A Dockerfile can name such a file, but none can exist. */
function refuseNul(path: Name): void {
  if (!path.includes('\0')) return
  throw new TsbuildError(`copy to ${JSON.stringify(shown(path))}: a name with a NUL character`, {
    code: 'STEP_FAILED',
    hint: 'remove the character from the Dockerfile',
  })
}

/** In a layer such a file is a whiteout: it would delete what it is named after. */
export function refuseWhiteout(path: Name, stat: FileStat): void {
  const isMark = baseOf(path).startsWith(WHITEOUT)
  if (!isMark && !isWhiteoutDevice(stat)) return
  const what = isMark ? 'a name that starts with .wh.' : 'a character device 0/0'
  throw new TsbuildError(`copy to ${JSON.stringify(shown(path))}: ${what} means "deleted"`, {
    code: 'UNSUPPORTED',
    hint: 'a layer cannot hold such a file; leave it out with .dockerignore or --exclude',
  })
}
