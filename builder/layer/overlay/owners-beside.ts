import { existsSync } from 'node:fs'
import { fileRights, hasSingleId } from '#builder/linux'
import { addOwnedFile, MORE_IDS, NO_OWNED_FILES, type OwnedFiles, ownersFileOf } from '#core'
import { KeptAttributes, type KeptDeletions } from './kept-attributes.ts'

/**
 * What happens to owners. `keep`: files get them. `drop`: files belong to the current user. `beside`:
 * likewise, and the owners are kept in a file beside the directory.
 */
export type Owners = 'keep' | 'drop' | 'beside'

/** What becomes of owners in directories of layers, by the rights of this process. */
export function layerOwners(): Owners {
  return fileRights().givesOwners ? 'keep' : 'beside'
}

const MORE_CAPABILITIES =
  'let it have the capabilities CHOWN, DAC_OVERRIDE, FOWNER and FSETID (docker run --cap-add)'

/** Why files get no owners, and what helps, where that is so. */
export function ownersObstacle(): { readonly reason: string; readonly remedy: string } {
  return hasSingleId()
    ? { reason: 'there is one user id only', remedy: MORE_IDS }
    : { reason: 'this process may not give files owners', remedy: MORE_CAPABILITIES }
}

/** Whether any of these directories has attributes beside it. */
export function hasOwnersBeside(directories: readonly string[]): boolean {
  return directories.some((directory) => existsSync(ownersFileOf(directory)))
}

/**
 * The deletions of a layer that are known only from beside its directory, and that overlayfs does not
 * see; `undefined` where there are none.
 */
export function deletionsBeside(directory: string): KeptDeletions | undefined {
  const found = KeptAttributes.of(directory)?.deletions()
  return found === undefined || (found.whiteouts.length === 0 && !found.hasOpaque)
    ? undefined
    : found
}

/**
 * The owners that are kept beside directories, or those of them that are presumed.
 * @returns `undefined` when there are none
 */
export function ownersBeside(
  directories: readonly string[],
  which: 'all' | 'presumed',
): OwnedFiles | undefined {
  let files = NO_OWNED_FILES
  for (const directory of directories) {
    for (const [path, { owner }] of KeptAttributes.of(directory)?.entries() ?? []) {
      if (owner === undefined || (which === 'presumed' && owner.isOwnerPresumed !== true)) continue
      files = addOwnedFile(files, path, owner)
    }
  }
  return files.count === 0 ? undefined : files
}
