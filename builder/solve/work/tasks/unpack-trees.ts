import {
  clampChanges,
  removeOthers,
  stackTree,
  treeChanges,
  writeFiles,
  writeLayer,
} from '#builder/layer'
import { BARE_DIRECTORY, fileRights } from '#builder/linux'
import { type Change, joinName, type Name, nameOf, type Tree } from '#core'

/** Merged file systems, and where their files go. */
interface UnpackTask {
  /** Each goes to a folder of the destination; no name: to the destination itself. */
  readonly trees: readonly { readonly lowers: readonly string[]; readonly folder: string }[]
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
  if (format === 'tar') {
    writeLayer(changes, { tar: dest })
    return
  }
  if (typeof dest === 'number') throw new Error('a folder is given by its path')
  if (format === 'owned') {
    const owners = fileRights().givesOwners ? 'keep' : 'drop'
    writeFiles(withRoot(changes), dest, { owners })
  } else writeFiles(changes, dest)
  if (mode === 'delete') deleteOthers(trees, dest)
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
  for (const { lowers, folder } of trees) {
    const tree = stackTree(lowers)
    try {
      yield* folder === '' ? treeChanges(tree) : changesBelow(nameOf(folder), tree)
    } finally {
      tree.close()
    }
  }
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
