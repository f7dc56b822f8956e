import { chmodSync, fstatSync, readdirSync, readFileSync } from 'node:fs'
import { fileRights, RootedDirectory } from '#builder/linux'
import { ioError, joinName, type Name, type Tree } from '#core'
import { quote } from '../paths/quote.ts'

/** A tree that was written to a directory, or to a folder in it. */
export interface WrittenTree {
  readonly tree: Tree
  /** Name of the folder; empty: the directory itself. */
  readonly folder: Name
}

/**
 * Removes from `directory` everything that the trees do not have. Links are not followed, and other
 * mounts below are not entered.
 * @throws {TsbuildError} IO_FAILED, PERMISSION_DENIED
 */
export function removeOthers(directory: string, written: readonly WrittenTree[]): void {
  const root = new RootedDirectory(directory)
  const closed: ClosedFolder[] = []
  try {
    const folders = written.flatMap(({ folder }) => (folder === '' ? [] : [folder]))
    if (folders.length > 0) removeFrom({ root, closed }, '' as Name, new Set(folders))
    for (const { tree, folder } of written) removeBelow({ root, closed }, folder, tree)
  } finally {
    for (const { path, mode } of closed.reverse()) chmodSync(root.inside(path), mode)
    root.close()
  }
}

/** A folder that its owner may not use, for the time of the removal. */
interface ClosedFolder {
  readonly path: Name
  readonly mode: number
}

interface Destination {
  readonly root: RootedDirectory
  readonly closed: ClosedFolder[]
}

function removeBelow(destination: Destination, folder: Name, tree: Tree): void {
  const { root } = destination
  const pending: Name[] = ['' as Name]
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const here = folder === '' ? path : joinName(folder, path)
    for (const name of removeFrom(destination, here, new Set(tree.readdir(path)))) {
      const child = joinName(path, name)
      const isFolder = tree.lstat(child)?.type === 'directory'
      if (isFolder && root.lstat(joinName(here, name))?.isDirectory()) pending.push(child)
    }
  }
}

/** @returns the names that stay; none where the folder is another mount */
function removeFrom(
  { root, closed }: Destination,
  path: Name,
  kept: ReadonlySet<Name>,
): readonly Name[] {
  try {
    const home = mountOf(root.directory('' as Name))
    const descriptor = root.directory(path)
    if (descriptor === undefined || mountOf(descriptor) !== home) return []
    if (!fileRights().overridesModes) openFolder(descriptor, path, closed)
    const names = readdirSync(`/proc/self/fd/${descriptor}`, 'latin1') as Name[]
    for (const name of names) if (!kept.has(name)) root.remove(joinName(path, name))
    return names.filter((name) => kept.has(name))
  } catch (cause) {
    throw ioError(`remove what is not in the result from ${quote(path)}`, cause)
  }
}

function openFolder(descriptor: number, path: Name, closed: ClosedFolder[]): void {
  const { uid, mode } = fstatSync(descriptor)
  if ((mode & 0o700) === 0o700 || uid !== process.geteuid?.()) return
  chmodSync(`/proc/self/fd/${descriptor}`, mode | 0o700)
  closed.push({ path, mode: mode & 0o7777 })
}

/** The id of the mount, which differs for bind mounts, too. Spec: proc_pid_fdinfo(5) */
function mountOf(descriptor: number | undefined): string | undefined {
  const text = readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1')
  return /^mnt_id:\s*(\d+)$/m.exec(text)?.[1]
}
