import { lstatSync, readdirSync } from 'node:fs'
import { FileFacts, RootedDirectory } from '#builder/linux'
import { checkpoint, joinName, type Name, ownersFileOf, textOfName } from '#core'

/** The folder of a layer. */
export interface SettledFolder {
  readonly directory: string
  /** Nothing in it was changed later than this: milliseconds, by the clock of its file system. */
  readonly until: number
}

/**
 * Finds something in a folder that was changed later. A write, new rights, a new name and a removed one
 * all give an inode of the folder a new time of change, which no program can set.
 * @returns its path; `undefined` when everything is as it was
 */
export function changedSince({ directory, until }: SettledFolder): string | undefined {
  const owners = lstatSync(ownersFileOf(directory), { throwIfNoEntry: false })
  if (owners !== undefined && owners.ctimeMs > until) return ownersFileOf(directory)
  const found = lstatSync(directory, { throwIfNoEntry: false })
  if (found?.isDirectory() !== true || found.ctimeMs > until) return directory
  const root = new RootedDirectory(directory)
  try {
    const changed = findNewer(root, until)
    return changed === undefined ? undefined : `${directory}/${textOfName(changed)}`
  } finally {
    root.close()
  }
}

function findNewer(root: RootedDirectory, until: number): Name | undefined {
  const facts = new FileFacts()
  const left = ['' as Name]
  for (let path = left.pop(); path !== undefined; path = left.pop()) {
    checkpoint()
    const descriptor = root.directory(path)
    if (descriptor === undefined) return path
    for (const name of readdirSync(root.inside(path), 'latin1') as Name[]) {
      const below = joinName(path, name)
      if (!facts.read(descriptor, name) || facts.changedMs > until) return below
      if (facts.is('directory')) left.push(below)
    }
  }
  return undefined
}
