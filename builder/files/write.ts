import { baseOf, type FileStat, joinName, nameOf, parentOf } from '#core'
import type { WriteAction } from './action.ts'
import type { Chmod } from './chmod.ts'
import { type NewDirectory, prepareDestination, refuseDirectory } from './directories.ts'
import type { OverlayDraft } from './overlay-draft.ts'

const FILE_MODE = 0o644

/** What becomes of a heredoc and of directories on its way. */
export interface WriteOptions {
  readonly created: NewDirectory
  readonly chmod: Chmod | undefined
}

/** Writes a heredoc to its destination, or into it under its own name. */
export function writeFile(
  draft: OverlayDraft,
  action: WriteAction,
  { created, chmod }: WriteOptions,
): void {
  const path = prepareDestination(draft, action.destination, created)
  const isInto = draft.lstat(path)?.type === 'directory'
  const place = isInto ? joinName(path, baseOf(nameOf(action.name))) : path
  refuseDirectory(draft.lstat(place), place)
  const data = Buffer.from(action.data, 'utf8')
  const stat: FileStat = {
    type: 'file',
    mode: FILE_MODE,
    uid: created.uid,
    gid: created.gid,
    size: data.length,
    mtimeMs: created.mtimeMs,
    major: 0,
    minor: 0,
    inode: '',
    nlink: 1,
  }
  draft.put(place, { stat: { ...stat, mode: chmod?.apply(stat) ?? FILE_MODE }, data })
  draft.touch(parentOf(place), created.mtimeMs)
}
