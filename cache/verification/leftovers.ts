/** What takes space in a store and belongs to nothing in it. */
import { existsSync, lstatSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { isDigest } from '#core'
import { namesIn } from '../filesystem/best-effort.ts'
import { FOLDER_KINDS, type FolderKind } from '../filesystem/folder-kind.ts'
import { setAside } from '../filesystem/replace-file.ts'
import { unknownFolders } from '../records/layer-folder.ts'
import type { Finding } from './finding.ts'
import type { StoreAudit } from './store-audit.ts'

/** What nothing knows. */
export function checkLeftovers(audit: StoreAudit): readonly Finding[] {
  return [
    ...FOLDER_KINDS.flatMap((kind) => checkUnknownFolders(kind, audit)),
    ...checkStrangers('blobs/sha256', audit),
    ...checkStrangers('parts', audit),
    ...checkJoined(audit),
    ...checkMounts(audit),
    ...checkCorrupt(audit),
  ]
}

/** A row goes before its folder, which may be gone by now. */
function checkUnknownFolders(kind: FolderKind, audit: StoreAudit): readonly Finding[] {
  const folders = unknownFolders(audit.layout, audit.database, kind)
  const unknown = folders.filter((path) => existsSync(path))
  return unknown.map((path) =>
    leftover(`${kind.folder}/${basename(path)}`, 'belongs to no layer', 'removes it', () =>
      audit.presence.discard(path),
    ),
  )
}

function checkStrangers(folder: string, { layout }: StoreAudit): readonly Finding[] {
  const path = join(layout.root, folder)
  const names = namesIn(path).filter((name) => !isDigest(`sha256:${name}`))
  return names.map((name) =>
    leftover(`${folder}/${name}`, 'is not named as a blob is', 'sets it aside', () =>
      setAside(layout, join(path, name)),
    ),
  )
}

/** The process that made one file of them was killed before it removed them. */
function checkJoined(audit: StoreAudit): readonly Finding[] {
  const { parts } = audit.layout
  const isJoined = (name: string): boolean => {
    const digest = `sha256:${name}`
    return isDigest(digest) && audit.isFile(digest)
  }
  return namesIn(parts)
    .filter(isJoined)
    .map((name) =>
      leftover(`parts/${name}`, 'is of a blob that is whole', 'removes it', () =>
        audit.presence.discard(join(parts, name)),
      ),
    )
}

/** One without its data was never complete, since it is made elsewhere and renamed. */
function checkMounts({ layout, presence }: StoreAudit): readonly Finding[] {
  const names = readdirSync(layout.mounts).filter((name) => !name.endsWith('.lock'))
  const broken = names.filter((name) => !existsSync(join(layout.mounts, name, 'data')))
  return broken.map((name) =>
    leftover(`mounts/${name}`, 'is a cache mount without its data', 'removes it', () =>
      presence.discard(join(layout.mounts, name)),
    ),
  )
}

function checkCorrupt({ layout }: StoreAudit): readonly Finding[] {
  const names = readdirSync(layout.corrupt)
  if (names.length === 0) return []
  const bytes = names
    .map((name) => lstatSync(join(layout.corrupt, name), { throwIfNoEntry: false })?.size ?? 0)
    .reduce((sum, size) => sum + size, 0)
  const what = names.length === 1 ? 'one thing' : `${names.length} things`
  const problem = `has ${what} that was found damaged, ${bytes} bytes without what is in folders`
  return [leftover('corrupt', problem, 'leaves it for you to look at, and to remove')]
}

function leftover(subject: string, problem: string, remedy: string, repair?: () => void): Finding {
  return { severity: 'leftover', subject, problem, remedy, ...(repair ? { repair } : {}) }
}
