import { type FileStat, joinName, type Name, nameOf, parentOf, TsbuildError } from '#core'
import type { OverlayDraft } from './overlay-draft.ts'
import type { Ids } from './owner.ts'
import { componentsOf, shown } from './paths.ts'

/** What directories get that have to be made. */
export interface NewDirectory extends Ids {
  readonly mode: number
  /** Milliseconds. */
  readonly mtimeMs: number
}

/** `mkdir -p` of a path without links; what exists keeps its mode and owner, but not its time. */
export function makeDirectories(draft: OverlayDraft, path: Name, created: NewDirectory): void {
  let at = '' as Name
  for (const name of componentsOf(path)) {
    at = joinName(at, name)
    makeDirectory(draft, at, created)
  }
}

/** The same where the parent exists. */
export function makeDirectory(draft: OverlayDraft, path: Name, created: NewDirectory): void {
  const existing = draft.lstat(path)
  if (existing === undefined) {
    draft.put(path, { stat: directoryStat(created) })
    draft.touch(parentOf(path), created.mtimeMs)
  } else if (existing.type !== 'directory') throw notADirectoryError(path)
}

/**
 * Where something copied to `destination` comes, links followed, after the directory that it needs
 * was made: the destination itself when it is written with a slash at its end, else its parent.
 */
export function prepareDestination(
  draft: OverlayDraft,
  destination: string,
  created: NewDirectory,
): Name {
  const written = nameOf(destination)
  const needed = written.endsWith('/') ? written : parentOf(written)
  makeDirectories(draft, draft.resolve(needed), created)
  return draft.resolve(written)
}

/**
 * Refuses to replace a directory, also by a link.
 * @param by what would take its place
 * @throws {TsbuildError} STEP_FAILED
 */
export function refuseDirectory(
  existing: FileStat | undefined,
  path: Name,
  by?: Pick<FileStat, 'type'>,
): void {
  if (existing?.type !== 'directory') return
  throw new TsbuildError(`cannot replace to directory ${shown(path)} with file`, {
    code: 'STEP_FAILED',
    hint:
      by?.type === 'symlink'
        ? `${shown(path)} is a symbolic link in the source, and a directory in the image`
        : 'a directory of that name is in the image already',
  })
}

function directoryStat({ mode, uid, gid, mtimeMs }: NewDirectory): FileStat {
  return {
    type: 'directory',
    mode,
    uid,
    gid,
    size: 0,
    mtimeMs,
    major: 0,
    minor: 0,
    inode: '',
    nlink: 1,
  }
}

function notADirectoryError(path: Name): TsbuildError {
  return new TsbuildError(`mkdir ${shown(path)}: not a directory`, {
    code: 'STEP_FAILED',
    hint: 'a file of that name is in the image already',
  })
}
