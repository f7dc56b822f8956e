import { chownSync, lchownSync, readdirSync, type Stats, statSync } from 'node:fs'
import { errnoOf, joinName, type Name } from '#core'
import type { Identity } from '../system/credentials.ts'
import { RootedDirectory } from './rooted-directory.ts'

type Owner = Pick<Identity, 'uid' | 'gid'>

/**
 * Gives a file or directory, and everything below it, to a user. No link below is followed; what belongs
 * to the user already is not touched, so that nothing is copied up for it.
 * @param path trusted, e.g. `/proc/self/fd/N`
 */
export function chownTree(path: string, owner: Owner): void {
  const stat = statSync(path)
  if (!isOwnedBy(stat, owner)) chownSync(path, owner.uid, owner.gid)
  if (!stat.isDirectory()) return
  const tree = new RootedDirectory(path)
  try {
    const left = childrenOf(tree, '' as Name)
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      if (chownEntry(tree, next, owner)) left.push(...childrenOf(tree, next))
    }
  } finally {
    tree.close()
  }
}

/** @returns whether it is a directory; false for what another step has removed meanwhile */
function chownEntry(tree: RootedDirectory, path: Name, owner: Owner): boolean {
  try {
    const stat = tree.lstat(path)
    if (stat === undefined) return false
    if (!isOwnedBy(stat, owner)) lchownSync(tree.place(path), owner.uid, owner.gid)
    return stat.isDirectory()
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT' || errnoOf(cause) === 'ENOTDIR') return false
    throw cause
  }
}

function childrenOf(tree: RootedDirectory, path: Name): Name[] {
  const directory = tree.directory(path)
  if (directory === undefined) return []
  const names = readdirSync(`/proc/self/fd/${directory}`, 'latin1') as Name[]
  return names.map((name) => joinName(path, name))
}

function isOwnedBy(stat: Stats, { uid, gid }: Owner): boolean {
  return stat.uid === uid && stat.gid === gid
}
