import { shortList } from '../short-list.ts'
import { type FileStat, type Name, textOfName } from './tree.ts'

/** A file and its owner, by its path in a root file system. */
interface OwnedFile {
  /** Absolute, as text. */
  readonly path: string
  readonly uid: number
  readonly gid: number
}

/** How many files there are, and the first of them, for a message. */
export interface OwnedFiles {
  readonly count: number
  /** Up to three of them. */
  readonly first: readonly OwnedFile[]
}

/** What to do where there is one user id only. */
export const MORE_IDS =
  'install newuidmap (package uidmap) and give your user 65536 ids in /etc/subuid and /etc/subgid'

const NAMED = 3

/** The list to begin with. */
export const NO_OWNED_FILES: OwnedFiles = { count: 0, first: [] }

/** The list with one file more. */
export function addOwnedFile(
  { count, first }: OwnedFiles,
  path: Name,
  { uid, gid }: Pick<FileStat, 'uid' | 'gid'>,
): OwnedFiles {
  const named =
    first.length < NAMED ? [...first, { path: `/${textOfName(path)}`, uid, gid }] : first
  return { count: count + 1, first: named }
}

/** One list of all files. */
export function joinOwnedFiles(all: readonly OwnedFiles[]): OwnedFiles {
  return {
    count: all.reduce((sum, { count }) => sum + count, 0),
    first: all.flatMap(({ first }) => first).slice(0, NAMED),
  }
}

/** `/a (1:1), /b (2:2), /c (3:3) and 4 more` */
export function formatOwnedFiles({ count, first }: OwnedFiles): string {
  return shortList(
    first.map(({ path, uid, gid }) => `${path} (${uid}:${gid})`),
    count,
  )
}
