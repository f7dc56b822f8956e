import { mkdirSync } from 'node:fs'
import { deletionsBeside } from '#builder/layer'
import { makeWhiteout, RootedDirectory } from '#builder/linux'
import { joinName, type Name, TsbuildError } from '#core'
import { copyAttributes } from './writable.ts'

/**
 * Layers as overlayfs reads them. On a file system without whiteout devices, as on another overlay, the
 * deletions of a layer are known only from beside its directory: a directory of whiteouts, somewhere
 * else, is put on top of such a layer.
 * @param lower topmost first
 * @param pathOf an unused path on a file system that has whiteouts
 * @throws {TsbuildError} SNAPSHOT_UNAVAILABLE where a deletion can be shown in no way
 */
export function withVisibleDeletions(
  lower: readonly string[],
  pathOf: (index: number) => string,
): readonly string[] {
  return lower.flatMap((directory, index) => {
    const deletions = deletionsBeside(directory)
    if (deletions === undefined) return [directory]
    if (deletions.hasOpaque) throw opaqueError()
    const whiteouts = pathOf(index)
    makeWhiteouts(deletions.whiteouts, { of: directory, in: whiteouts })
    return [whiteouts, directory]
  })
}

/** Whether layers need `withVisibleDeletions`. */
export function hasInvisibleDeletions(lower: readonly string[]): boolean {
  return lower.some((directory) => deletionsBeside(directory) !== undefined)
}

/** Directories on the way have the attributes of the layer's, since they are what is seen. */
function makeWhiteouts(
  names: readonly Name[],
  place: { readonly of: string; readonly in: string },
): void {
  mkdirSync(place.in)
  const layer = new RootedDirectory(place.of)
  try {
    const target = new RootedDirectory(place.in)
    try {
      const made = new Set<Name>()
      for (const name of names) {
        makeParents(target, name, made)
        makeWhiteout(target.place(name))
      }
      for (const path of [...made].reverse()) {
        copyAttributes(`${layer.inside(path)}/.`, `${target.inside(path)}/.`)
      }
    } finally {
      target.close()
    }
  } finally {
    layer.close()
  }
  copyAttributes(place.of, place.in)
}

/** @param made gets what is made, parents first */
function makeParents(target: RootedDirectory, path: Name, made: Set<Name>): void {
  let parent = '' as Name
  for (const name of path.split('/').slice(0, -1)) {
    parent = joinName(parent, name as Name)
    if (made.has(parent)) continue
    mkdirSync(target.place(parent), 0o700)
    made.add(parent)
  }
}

function opaqueError(): TsbuildError {
  return new TsbuildError('overlayfs reads no opaque folders on the file system of this store', {
    code: 'SNAPSHOT_UNAVAILABLE',
    hint: 'put the store on another file system (a volume, --root), or use --snapshotter copies',
  })
}
