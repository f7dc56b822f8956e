import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { type Change, type EntryChange, joinName, type Name } from '#core'

/** A name of any bytes that a file can have, and a layer can hold. */
const name = fc
  .uint8Array({ minLength: 1, maxLength: 120 })
  .map((bytes) => Buffer.from(bytes).toString('latin1').replaceAll(/[/\0]/g, '_') as Name)
  .filter((text) => text !== '.' && text !== '..' && !text.startsWith('.wh.'))

const attributes = fc.record({
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2 ** 32 - 2 })),
  gid: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2 ** 32 - 2 })),
  // What ext4 can hold.
  mtimeMs: fc.integer({ min: -(2 ** 31), max: 2 ** 33 }).map((seconds) => seconds * 1000),
})

const leaf = fc.oneof(
  fc.uint8Array({ maxLength: 3000 }).map((data) => ({ type: 'file', data }) as const),
  name.map((target) => ({ type: 'symlink', target }) as const),
  fc.constant({ type: 'fifo' } as const),
  fc.constant({ type: 'whiteout' } as const),
  fc.constant({ type: 'hardlink' } as const),
)

/** What is not a directory. */
type Leaf =
  | { readonly type: 'file'; readonly data: Uint8Array }
  | { readonly type: 'symlink'; readonly target: Name }
  | { readonly type: 'fifo' }
  | { readonly type: 'whiteout' }
  | { readonly type: 'hardlink' }

/** A file, or a directory where it has children. */
export interface Node {
  readonly attributes: {
    readonly mode: number
    readonly uid: number
    readonly gid: number
    readonly mtimeMs: number
  }
  readonly what: Leaf
  readonly children?: Readonly<Record<string, Node>>
}

const { tree } = fc.letrec<{ tree: Record<string, Node>; node: Node }>((tie) => ({
  tree: fc.dictionary(name, tie('node'), { maxKeys: 4, depthIdentifier: 'tree' }),
  node: fc.record(
    {
      attributes,
      what: leaf,
      children: fc.option(tie('tree'), { depthIdentifier: 'tree', maxDepth: 3, nil: undefined }),
    },
    { requiredKeys: ['attributes', 'what'] },
  ) as fc.Arbitrary<Node>,
}))

/** Files of all types in directories, deletions among them. */
export const randomTree: fc.Arbitrary<Record<string, Node>> = tree

/** In walk order, as the contract of changes says. */
export function* changesIn(
  nodes: Readonly<Record<string, Node>>,
  parent = '' as Name,
  files: EntryChange[] = [],
): Generator<Change> {
  for (const key of Object.keys(nodes).sort()) {
    const node = nodes[key]
    if (node === undefined) continue
    const { what, children } = node
    const path = joinName(parent, key as Name)
    const base = { ...node.attributes, size: 0, major: 0, minor: 0, inode: '', nlink: 1 }
    if (children !== undefined) {
      yield { kind: 'entry', path, stat: { ...base, type: 'directory' } }
      yield* changesIn(children, path, files)
    } else if (what.type === 'whiteout') {
      yield { kind: 'whiteout', path }
    } else if (what.type === 'hardlink') {
      const first = files.at(-1)
      if (first !== undefined) {
        yield { kind: 'entry', path, stat: first.stat, hardlink: first.path }
      }
    } else if (what.type === 'symlink') {
      yield {
        kind: 'entry',
        path,
        stat: { ...base, mode: 0o777, type: 'symlink' },
        target: what.target,
      }
    } else if (what.type === 'fifo') {
      yield { kind: 'entry', path, stat: { ...base, type: 'fifo' } }
    } else {
      const stat = { ...base, type: 'file', size: what.data.length } as const
      const entry: EntryChange = { kind: 'entry', path, stat, data: what.data }
      files.push(entry)
      yield entry
    }
  }
}
