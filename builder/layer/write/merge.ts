import type { Change } from '#core'
import { treeChanges } from '../overlay/changes.ts'
import { StackTree } from '../overlay/stack-tree.ts'
import { type WriteOptions, writeLayer } from './write.ts'

/**
 * Makes one directory in overlay form of a whole stack (topmost first): mounted as the lowest one, it
 * looks as all of them did. It has everything that the mounted stack shows, all extended attributes
 * too, but sockets, which no layer holds; nothing of it deletes or hides what may lie below.
 * @throws {TsbuildError} as `writeLayer`
 */
export function mergeLayers(
  directories: readonly string[],
  target: string,
  options: Pick<WriteOptions, 'owners'> = {},
): void {
  const tree = new StackTree(directories)
  try {
    writeLayer(withAllXattrs(tree), { directory: target }, options)
  } finally {
    tree.close()
  }
}

function* withAllXattrs(tree: StackTree): Generator<Change> {
  for (const change of treeChanges(tree)) {
    const hasXattrs = change.kind === 'entry' && ['file', 'directory'].includes(change.stat.type)
    yield hasXattrs ? { ...change, xattrs: tree.allXattrs(change.path) } : change
  }
}
