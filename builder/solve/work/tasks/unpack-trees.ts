import {
  clampChanges,
  removeOthers,
  stackTree,
  treeChanges,
  writeFiles,
  writeLayer,
} from '#builder/layer'
import { BARE_DIRECTORY, fileRights } from '#builder/linux'
import { type Change, joinName, type Name, nameOf, type Tree, TsbuildError } from '#core'

/** A merged file system. */
interface UnpackedTree {
  readonly lowers: readonly string[]
  readonly folder: string
  /** Files beside those at its root. */
  readonly added?: readonly AddedFile[] | undefined
}

interface AddedFile {
  readonly name: string
  readonly data: Uint8Array
}

/** Merged file systems, and where their files go. */
interface UnpackTask {
  /** Each goes to a folder of the destination; no name: to the destination itself. */
  readonly trees: readonly UnpackedTree[]
  /** A path; for `tar` also a descriptor, which stays open. */
  readonly dest: string | number
  /** `owned`: files that have their owners, where this process may give them. */
  readonly format: 'local' | 'tar' | 'owned'
  /** `delete`: of what is there already, only what the trees have stays. For `local`. */
  readonly mode?: 'copy' | 'delete'
  /** No entry is newer; milliseconds. */
  readonly maxMtime?: number | undefined
}

/** Writes merged file systems as files or as one tar. */
export function unpackTrees({ trees, dest, format, mode, maxMtime }: UnpackTask): void {
  const changes = clampChanges(changesIn(trees), maxMtime)
  const added = [...clampChanges(addedTo(trees), maxMtime)]
  if (format === 'tar') {
    writeLayer(chain(changes, added), { tar: dest })
    return
  }
  if (typeof dest === 'number') throw new Error('a folder is given by its path')
  if (format === 'owned') {
    const owners = fileRights().givesOwners ? 'keep' : 'drop'
    writeFiles(withRoot(changes), dest, { owners })
  } else writeFiles(changes, dest)
  if (mode === 'delete') deleteOthers(trees, dest)
  if (added.length > 0) writeFiles(added, dest)
}

function* chain<T>(...all: readonly Iterable<T>[]): Generator<T> {
  for (const one of all) yield* one
}

/** What is added, as private files. */
function* addedTo(trees: UnpackTask['trees']): Generator<Change> {
  for (const { folder, added = [] } of trees) {
    for (const { name, data } of added) {
      const path = folder === '' ? nameOf(name) : joinName(nameOf(folder), nameOf(name))
      const mtimeMs = Date.now()
      const stat = {
        ...BARE_DIRECTORY,
        type: 'file',
        mode: 0o600,
        size: data.length,
        mtimeMs,
      } as const
      yield { kind: 'entry', path, stat, data }
    }
  }
}

function* withRoot(changes: Iterable<Change>): Generator<Change> {
  yield { kind: 'entry', path: '' as Name, stat: BARE_DIRECTORY }
  yield* changes
}

function deleteOthers(trees: UnpackTask['trees'], dest: string): void {
  const opened = trees.map(({ lowers, folder }) => {
    return { tree: stackTree(lowers), folder: nameOf(folder) }
  })
  try {
    removeOthers(dest, opened)
  } finally {
    for (const { tree } of opened) tree.close()
  }
}

function* changesIn(trees: UnpackTask['trees']): Generator<Change> {
  for (const { lowers, folder, added = [] } of trees) {
    const tree = stackTree(lowers)
    try {
      for (const { name } of added) checkAbsent(tree, name)
      yield* folder === '' ? treeChanges(tree) : changesBelow(nameOf(folder), tree)
    } finally {
      tree.close()
    }
  }
}

function checkAbsent(tree: Tree, name: string): void {
  if (tree.lstat(nameOf(name)) === undefined) return
  throw new TsbuildError(`the image has a file ${name} of its own`, {
    code: 'USAGE',
    hint: 'leave the attestation out, or choose its filename: --provenance=filename=NAME',
  })
}

/** The whole tree in a folder of that name, which has the attributes of the tree's root. */
function* changesBelow(folder: Name, tree: Tree): Generator<Change> {
  const stat = tree.lstat('' as Name)
  if (stat !== undefined) yield { kind: 'entry', path: folder, stat }
  for (const change of treeChanges(tree)) {
    const path = joinName(folder, change.path)
    if (change.kind !== 'entry' || change.hardlink === undefined) yield { ...change, path }
    else yield { ...change, path, hardlink: joinName(folder, change.hardlink) }
  }
}
