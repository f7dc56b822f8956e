import type { Name, NamedStat, ReadableTree, Tree } from '#core'
import { isReadableTree } from '#core'
import type { WorkMeter } from './work-meter.ts'

/** A tree that counts what is looked at; it is closed with the one below. */
export function meteredTree(tree: Tree, meter: WorkMeter): Tree {
  const metered: Tree = {
    lstat: (path) => {
      meter.look()
      return tree.lstat(path)
    },
    readdir: (path) => {
      const names = tree.readdir(path)
      meter.look(names.length)
      return names
    },
    readlink: (path) => tree.readlink(path),
    openFile: (path) => tree.openFile(path),
    xattrs: (path) => tree.xattrs(path),
    close: () => tree.close(),
  }
  return isReadableTree(tree) ? withFiles(metered, tree, meter) : metered
}

function withFiles(metered: Tree, tree: ReadableTree, meter: WorkMeter): ReadableTree {
  function* readFiles(path: Name): Generator<NamedStat> {
    for (const entry of tree.readFiles(path)) {
      meter.look()
      yield entry
    }
  }
  return { ...metered, readFiles }
}
