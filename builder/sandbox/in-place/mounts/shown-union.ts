import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  lutimesSync,
  mkdirSync,
  openSync,
} from 'node:fs'
import { resolveInTree, stackTree, treeChanges, writeLayer } from '#builder/layer'
import { O_PATH } from '#builder/linux'
import { type FileStat, joinName, type Name, nameOf, type Tree, TsbuildError } from '#core'
import { descriptorPath, type EntryKind } from '../../root/root-entry.ts'
import { copyNewFile } from './new-file.ts'

/** A part of a union of layers, to be copied. */
export interface UnionPart extends Disposable {
  readonly kind: EntryKind
  /** Makes it at `path`, where nothing is. */
  copyTo(path: string | Buffer): void
}

/**
 * Opens what lies at `path` in the union of layer directories, topmost first; links are followed inside.
 * @throws {TsbuildError} NOT_FOUND
 */
export function openUnionPart(lower: readonly string[], path: string): UnionPart {
  const tree = stackTree(lower)
  try {
    const base = resolveInTree(tree, nameOf(path), { followLast: true })
    const stat = tree.lstat(base)
    if (stat === undefined) throw missingPartError(path)
    const part = { tree, base, stat }
    const isDirectory = stat.type === 'directory'
    return {
      kind: isDirectory ? 'directory' : 'file',
      copyTo: (to) => (isDirectory ? copyDirectory(part, to) : copyFile(part, to)),
      [Symbol.dispose]: () => tree.close(),
    }
  } catch (cause) {
    tree.close()
    throw cause
  }
}

/** The failure to find what a mount is to show. */
export function missingPartError(path: string): TsbuildError {
  return new TsbuildError(`${JSON.stringify(path)}: not found`, {
    code: 'NOT_FOUND',
    hint: 'a mount shows a path of what it is from; links in it lead nowhere else',
  })
}

interface Part {
  readonly tree: Tree
  readonly base: Name
  readonly stat: FileStat
}

function copyDirectory({ tree, base, stat }: Part, to: string | Buffer): void {
  mkdirSync(to, 0o700)
  const descriptor = openSync(to, O_PATH | constants.O_DIRECTORY)
  try {
    const path = descriptorPath(descriptor)
    writeLayer(treeChanges(subtree(tree, base)), { directory: path })
    chownSync(path, stat.uid, stat.gid)
    chmodSync(path, stat.mode)
    lutimesSync(`${path}/.`, stat.mtimeMs / 1000, stat.mtimeMs / 1000)
  } finally {
    closeSync(descriptor)
  }
}

/** What lies below `base`, as a tree. */
function subtree(tree: Tree, base: Name): Tree {
  return {
    lstat: (path) => tree.lstat(joinName(base, path)),
    readdir: (path) => tree.readdir(path === '' ? base : joinName(base, path)),
    readlink: (path) => tree.readlink(joinName(base, path)),
    openFile: (path) => tree.openFile(joinName(base, path)),
    xattrs: (path) => tree.xattrs(joinName(base, path)),
    close: () => tree.close(),
  }
}

function copyFile({ tree, base, stat }: Part, to: string | Buffer): void {
  const from = tree.openFile(base)
  try {
    copyNewFile(to, from, stat)
    lutimesSync(to, stat.mtimeMs / 1000, stat.mtimeMs / 1000)
  } finally {
    closeSync(from)
  }
}
