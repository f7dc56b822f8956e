import { Buffer } from 'node:buffer'
import { chownSync, lchownSync, readdirSync, type Stats, statSync } from 'node:fs'
import { checkpoint, errnoOf, joinName, type Name } from '#core'
import type { Identity } from '../system/credentials.ts'
import { RootedDirectory } from './rooted-directory.ts'
import { getXattr, setXattr } from './xattr.ts'

type Owner = Pick<Identity, 'uid' | 'gid'>

/** Changes one file. @param place its path; it may be a link, which is not followed */
type Change = (place: string | Buffer, stat: Stats) => void

/**
 * Gives a file or directory, and everything below it, to a user. No link below is followed; what belongs
 * to the user already is not touched, so that nothing is copied up for it.
 * @param path trusted, e.g. `/proc/self/fd/N`
 */
export function chownTree(path: string, owner: Owner): void {
  const stat = statSync(path)
  if (!isOwnedBy(stat, owner)) chownSync(path, owner.uid, owner.gid)
  changeBelow(path, stat, (place, found) => {
    if (!isOwnedBy(found, owner)) lchownSync(place, owner.uid, owner.gid)
  })
}

const LABEL = 'security.selinux'

/**
 * Gives a directory, and everything below it, a label of SELinux, unless it has that already: files that are made in
 * it later inherit the type. No link below is followed.
 * @param path trusted, not a link
 * @throws {SystemError} EOPNOTSUPP and others where the file system takes no label; CANCELLED
 */
export function labelTree(path: string, label: string): void {
  const value = Buffer.from(`${label}\0`)
  if (getXattr(path, LABEL)?.equals(value)) return
  changeBelow(path, statSync(path), (place) => setXattr(place, LABEL, value))
  // Last, so that one that was interrupted is done again.
  setXattr(path, LABEL, value)
}

function changeBelow(path: string, stat: Stats, change: Change): void {
  if (!stat.isDirectory()) return
  const tree = new RootedDirectory(path)
  try {
    const left = childrenOf(tree, '' as Name)
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      if (!changeEntry(tree, next, change)) continue
      checkpoint()
      // One by one: a folder may have more names than a call takes arguments.
      for (const child of childrenOf(tree, next)) left.push(child)
    }
  } finally {
    tree.close()
  }
}

/** @returns whether it is a directory; false for what another step has removed meanwhile */
function changeEntry(tree: RootedDirectory, path: Name, change: Change): boolean {
  try {
    const stat = tree.lstat(path)
    if (stat === undefined) return false
    change(tree.place(path), stat)
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
