/**
 * What the folders of layers hold depends on the rights of the process that makes them: where owners
 * are, which modes files have, how deletions are marked. To a process with other rights such a folder
 * shows another tree. So each kind has a place of its own, and a layer that has a folder of another
 * kind only is made again.
 */
import { type FileRights, fileRights } from '#disk'

/** A kind of folders of layers. */
export interface FolderKind {
  /** In the column `directory` of a layer: it has a folder of this kind. */
  readonly bit: number
  /** The folder of the store that such folders are in. */
  readonly folder: string
}

const TRUSTED = { bit: 1, folder: 'layers' }
const USER = { bit: 2, folder: 'layers-user' }
const ONE_OWNER = { bit: 4, folder: 'layers-owner' }
const PLAIN = { bit: 8, folder: 'layers-plain' }

/** All kinds; an earlier tsbuild knows the first one. */
export const FOLDER_KINDS: readonly FolderKind[] = [TRUSTED, USER, ONE_OWNER, PLAIN]

/** The kind that a process makes and reads. Default: this one. */
export function folderKind(rights: FileRights = fileRights()): FolderKind {
  const { givesOwners, overridesModes, marks } = rights
  if (!givesOwners) return overridesModes ? ONE_OWNER : PLAIN
  return marks === 'trusted' ? TRUSTED : USER
}
