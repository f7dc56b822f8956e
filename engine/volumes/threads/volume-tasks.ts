/** Bulk work on the files of volumes, in a thread of its own. */
import { readdirSync, renameSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { rawTree, resolveInTree, StackTree, treeChanges, writeFiles } from '#builder/layer'
import { fileRights } from '#builder/linux'
import { type Change, errnoOf, joinName, type Name, nameOf, TsbuildError } from '#core'
import { removeTreeSync } from '#disk'
import { PartOfTree } from './part-of-tree.ts'

/** How a volume gets what an image has. */
export interface FillTask {
  /** The directory of its files. */
  readonly files: string
  /** Does not last: a path beside it. `undefined`: the files are made where they belong. */
  readonly scratch: string | undefined
  /** Containers see it: then the directory itself stays, and the files come one by one. */
  readonly isShown: boolean
  /** Layers of the image, topmost first. */
  readonly lowers: readonly string[]
  /** Absolute, in the container. */
  readonly path: string
}

/**
 * Copies what the image has at a path to a volume that is empty, with owners, modes, attributes, links and holes. It
 * is there as a whole or not at all, unless containers see the volume meanwhile.
 * @returns whether something was copied
 * @throws {TsbuildError} USAGE where the image has a file there
 */
export function fill({ files, scratch, isShown, lowers, path }: FillTask): boolean {
  if (scratch !== undefined) removeTreeSync(scratch)
  if (readdirSync(files).length > 0) return false
  const tree = new StackTree(lowers)
  try {
    const base = resolveInTree(tree, nameOf(path), { followLast: true })
    const stat = tree.lstat(base)
    if (stat === undefined) return false
    if (stat.type !== 'directory') {
      const reason = `file exists ${path}`
      throw new TsbuildError(`cannot mount volume over existing file, ${reason}`, {
        code: 'USAGE',
      })
    }
    const owners = fileRights().givesOwners ? 'keep' : 'drop'
    writeFiles(allOf(new PartOfTree(tree, base)), scratch ?? files, { owners })
  } finally {
    tree.close()
  }
  if (scratch !== undefined) moveInto(files, { scratch, isShown })
  return true
}

/** The directory itself comes first. */
function* allOf(tree: PartOfTree): Generator<Change> {
  const root = '' as Name
  const stat = tree.lstat(root)
  if (stat === undefined) throw new Error('a directory that is not there')
  yield { kind: 'entry', path: root, stat, xattrs: tree.xattrs(root) }
  for (const change of treeChanges(tree)) {
    // A file has its attributes already.
    const isFile = change.kind === 'entry' && change.stat.type === 'file'
    yield isFile || change.kind !== 'entry'
      ? change
      : { ...change, xattrs: tree.xattrs(change.path) }
  }
}

function moveInto(
  files: string,
  { scratch, isShown }: { readonly scratch: string; readonly isShown: boolean },
): void {
  if (isShown) {
    for (const name of readdirSync(scratch)) renameSync(join(scratch, name), join(files, name))
    rmdirSync(scratch)
    return
  }
  try {
    renameSync(scratch, files)
  } catch (cause) {
    // Something was put into it meanwhile: then it is not filled.
    if (errnoOf(cause) !== 'ENOTEMPTY' && errnoOf(cause) !== 'EEXIST') throw cause
    removeTreeSync(scratch)
  }
}

/** Bytes of the files in directories, those with several names once. What cannot be read counts as nothing. */
export function measure(directories: readonly string[]): readonly number[] {
  return directories.map((directory) => {
    try {
      return bytesIn(directory)
    } catch (cause) {
      if (errnoOf(cause) === undefined && !(cause instanceof TsbuildError)) throw cause
      return 0
    }
  })
}

function bytesIn(directory: string): number {
  const tree = rawTree(directory)
  const seen = new Set<string>()
  let bytes = 0
  try {
    const pending: Name[] = ['' as Name]
    for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
      for (const name of tree.readdir(path)) {
        const child = path === '' ? name : joinName(path, name)
        const stat = tree.lstat(child)
        if (stat?.type === 'directory') pending.push(child)
        if (stat?.type === 'symlink') bytes += tree.readlink(child).length
        if (stat?.type !== 'file' || seen.has(stat.inode)) continue
        if (stat.nlink > 1) seen.add(stat.inode)
        bytes += stat.size
      }
    }
    return bytes
  } finally {
    tree.close()
  }
}
