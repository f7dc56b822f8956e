import { CAPABILITY, isWhiteoutDevice, RawTree, StackTree } from '#builder/layer'
import { checkpoint, type FileStat, joinName, type Name, parentOf, textOfName } from '#core'
import type { ContainerLayers } from './container-layers.ts'

/** A path that a container has changed. Spec: Docker Engine API, FilesystemChange */
export interface PathChange {
  readonly Path: string
  /** 0: changed, or a directory in which something is; 1: added; 2: deleted. */
  readonly Kind: 0 | 1 | 2
}

/** What a container has changed in its files, sorted by path; a directory comes before what is in it. */
export function findChanges(layers: ContainerLayers): readonly PathChange[] {
  const upper = new RawTree(layers.upper)
  try {
    const lower = new StackTree(layers.lower)
    try {
      return new ChangeWalk(upper, lower).changes()
    } finally {
      lower.close()
    }
  } finally {
    upper.close()
  }
}

/** A directory that is being walked. */
interface Frame {
  readonly path: Name
  readonly names: IterableIterator<Name>
  /** The layers below are hidden in it: what only they have is deleted. */
  readonly isHidden: boolean
}

class ChangeWalk {
  readonly #upper: RawTree
  readonly #lower: StackTree
  readonly #found: PathChange[] = []
  /** The directory that was reported last, and those above it, which all were. */
  readonly #reported = new Set<Name>()

  constructor(upper: RawTree, lower: StackTree) {
    this.#upper = upper
    this.#lower = lower
  }

  changes(): readonly PathChange[] {
    const stack = [this.#frame('' as Name, false)]
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const next = top.names.next()
      if (next.done) {
        stack.pop()
        this.#reported.delete(top.path)
        continue
      }
      const path = joinName(top.path, next.value)
      const stat = this.#upper.lstat(path)
      this.#look(path, stat)
      if (stat?.type !== 'directory') continue
      stack.push(this.#frame(path, top.isHidden || this.#upper.isOpaque(path)))
    }
    return this.#found
  }

  #look(path: Name, stat: FileStat | undefined): void {
    checkpoint()
    const below = this.#lower.lstat(path)
    if (stat === undefined || isWhiteoutDevice(stat)) {
      if (below !== undefined) this.#report(path, 2)
    } else if (below === undefined) this.#report(path, 1)
    else if (this.#isChanged(path, stat, below)) this.#report(path, 0)
    else return
    if (stat?.type === 'directory') this.#reported.add(path)
  }

  /** Reports a change behind the directories that it is in. */
  #report(path: Name, kind: PathChange['Kind']): void {
    const parents: Name[] = []
    for (let one = parentOf(path); one !== '' && !this.#reported.has(one); one = parentOf(one)) {
      parents.unshift(one)
    }
    for (const parent of parents) {
      this.#reported.add(parent)
      this.#found.push({ Path: pathText(parent), Kind: 0 })
    }
    this.#found.push({ Path: pathText(path), Kind: kind })
  }

  #isChanged(path: Name, stat: FileStat, below: FileStat): boolean {
    if (stat.type !== below.type || stat.mode !== below.mode) return true
    if (stat.uid !== below.uid || stat.gid !== below.gid) return true
    if (stat.major !== below.major || stat.minor !== below.minor) return true
    if (stat.type === 'directory') return false
    if (stat.mtimeMs !== below.mtimeMs || stat.size !== below.size) return true
    return (
      stat.type === 'file' &&
      this.#capability(this.#upper, path) !== this.#capability(this.#lower, path)
    )
  }

  #capability(tree: RawTree | StackTree, path: Name): string | undefined {
    return tree.xattrs(path).get(CAPABILITY)?.toString('hex')
  }

  /** In a hidden directory, names that only the layers below have count, too. */
  #frame(path: Name, isHidden: boolean): Frame {
    const names = this.#upper.readdir(path)
    if (!isHidden || this.#lower.lstat(path)?.type !== 'directory') {
      return { path, isHidden, names: names.values() }
    }
    const all = new Set([...names, ...this.#lower.readdir(path)])
    return { path, isHidden, names: [...all].sort().values() }
  }
}

function pathText(path: Name): string {
  return `/${textOfName(path)}`
}
