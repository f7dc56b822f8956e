import { realpathSync } from 'node:fs'
import { mountPoints } from '#builder/linux'
import { joinName, type Name, nameFromBytes, nameOf } from '#core'

/**
 * What is kept of a directory, by name: the names that lead to something that is kept. `keptWhole`: what
 * has the name is kept with everything in it.
 */
export type Kept = ReadonlyMap<Name, Kept>

/** Marks a name whose file or directory is kept as a whole. */
export const keptWhole: Kept = new Map()

const NOTHING: Kept = new Map()

/**
 * What is kept of `directory`: the given paths, and what is mounted below in the mount namespace of the
 * calling thread.
 * @param paths absolute; those outside of the directory do not matter
 */
export function keptPaths(directory: string, paths: readonly string[]): Kept {
  const root = nameFromBytes(realpathSync(directory, { encoding: 'buffer' }))
  const given = paths.flatMap((path) => below(nameOf(path), nameOf(asStart(directory))))
  const mounted = mountPoints().flatMap((path) => below(path, asStart(root)))
  const kept: Branches = new Map()
  for (const path of [...given, ...mounted]) keep(kept, path)
  return kept
}

/** The names that are kept in a directory; `undefined` stands for one in which nothing is. */
export function keptNames(kept: Kept | undefined): Kept {
  return kept ?? NOTHING
}

type Branches = Map<Name, Kept | Branches>

function asStart(directory: string): string {
  return directory.endsWith('/') ? directory : `${directory}/`
}

function below(path: Name, start: string): Name[] {
  const isBelow = path.startsWith(start) && path.length > start.length
  return isBelow ? [path.slice(start.length) as Name] : []
}

function keep(kept: Branches, path: Name): void {
  const names = path.split('/').filter((name) => name !== '') as Name[]
  const last = names.pop()
  let branch = kept
  for (const name of names) {
    const next = branch.get(name)
    if (next === keptWhole) return
    const found = (next as Branches | undefined) ?? new Map()
    branch.set(name, found)
    branch = found
  }
  if (last !== undefined) branch.set(last, keptWhole)
}

/** The paths that were kept whole before and are not now. */
export function noLongerKept(before: Kept, now: Kept): readonly Name[] {
  const paths: Name[] = []
  const left = [{ path: '' as Name, before, now: now as Kept | undefined }]
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    if (next.now === keptWhole) continue
    if (next.before === keptWhole) paths.push(next.path)
    for (const [name, kept] of next.before) {
      left.push({ path: joinName(next.path, name), before: kept, now: next.now?.get(name) })
    }
  }
  return paths
}
