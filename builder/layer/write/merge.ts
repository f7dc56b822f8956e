import type { Change } from '#core'
import { treeChanges } from '../overlay/changes.ts'
import { StackTree } from '../stack/stack-tree.ts'
import type { WriteOptions } from './layer-sinks.ts'
import { writeLayer } from './write.ts'

/**
 * Merges a whole stack (topmost first) into one directory in overlay form, which looks like the stack when
 * it is mounted as the lowest layer. It has everything that the mounted stack shows, including all
 * extended attributes, but not sockets. It contains no whiteouts and opaque marks.
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
