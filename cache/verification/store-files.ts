/**
 * The folders and small files of a store, looked at before it is opened: opening mends some of them without
 * a word.
 */
import { chmodSync, lstatSync, mkdirSync, renameSync, rmSync, type Stats } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { TsbuildError } from '#core'
import { invalidStoreError } from '../filesystem/failure.ts'
import { FOLDER_KINDS } from '../filesystem/folder-kind.ts'
import {
  type Layout,
  layersFolder,
  OCI_LAYOUT_TEXT,
  readIfThere,
  VERSION_TEXT,
} from '../filesystem/layout.ts'
import { setAside } from '../filesystem/replace-file.ts'
import { isIndex } from '../image-names.ts'
import type { Finding } from './finding.ts'

const OPEN_TO_OTHERS = 0o077

/**
 * Nothing, where there is a store of this user.
 * @throws {TsbuildError} NOT_FOUND, STORE_INVALID
 */
export function requireStore({ root, blobs, ociLayout, database }: Layout): void {
  const found = statOf(root)
  if (found === undefined || ![blobs, ociLayout, database].some(statOf)) {
    throw new TsbuildError(`there is no store at ${root}`, {
      code: 'NOT_FOUND',
      hint: 'name its folder with --root or TSBUILD_ROOT',
    })
  }
  const us = process.geteuid?.()
  if (!found.isDirectory()) throw invalidStoreError(`${root} is not a folder`)
  if (found.uid !== us)
    throw invalidStoreError(`${root} belongs to user ${found.uid}, not to ${us}`)
}

/** What is wrong with the folders and small files of a store. */
export function checkFiles(layout: Layout): readonly Finding[] {
  const { index, ociLayout, version, boot, database } = layout
  const { lock, databaseLock, sweepLock, collectionLock, size } = layout
  const locks = [lock, databaseLock, sweepLock, collectionLock]
  const plain = [index, ociLayout, version, boot, database, size, ...locks]
  const common = { layout, isMade: [version, boot].some(statOf) }
  const logs = ['-wal', '-shm'].map((extension) => database + extension)
  return [
    ...foldersOf(layout).flatMap((path) => checkFolder(path, layout)),
    ...[...plain, ...logs].flatMap((path) => checkPlain(path, layout)),
    ...checkText(ociLayout, { is: (text) => text === OCI_LAYOUT_TEXT, ...common }),
    ...checkText(version, { is: (text) => text === VERSION_TEXT, ...common }),
    ...checkText(index, { is: isIndex, ...common }),
  ]
}

function foldersOf({
  root,
  blobs,
  parts,
  temporary,
  mounts,
  corrupt,
  digests,
}: Layout): readonly string[] {
  const layers = FOLDER_KINDS.map((kind) => layersFolder(root, kind))
  const optional = [...layers, parts].filter(statOf)
  return [root, `${root}/blobs`, blobs, ...optional, temporary, mounts, corrupt, digests]
}

function checkFolder(path: string, layout: Layout): readonly Finding[] {
  const found = statOf(path)
  const subject = nameOf(path, layout)
  const make = (): void => void mkdirSync(path, { mode: 0o700 })
  if (found === undefined) {
    return [damage(subject, 'is missing, with all that it held', 'makes an empty folder', make)]
  }
  if (!found.isDirectory()) {
    const replace = (): void => {
      // Not into `corrupt`, which it may be.
      renameSync(path, join(layout.root, `.${basename(path)}-${Date.now()}`))
      make()
    }
    return [damage(subject, `is ${kindOf(found)}, not a folder`, 'sets it aside', replace)]
  }
  const isOpen = (found.mode & OPEN_TO_OTHERS) !== 0
  const close = (): void => chmodSync(path, 0o700)
  const open = `has mode 0${(found.mode & 0o777).toString(8)}: other users may enter it`
  const foreign = `belongs to user ${found.uid}: what it holds cannot be trusted`
  return [
    ...(isOpen ? [damage(subject, open, 'gives it mode 0700', close)] : []),
    ...(found.uid === process.geteuid?.() ? [] : [damage(subject, foreign, 'leaves it as it is')]),
  ]
}

function checkPlain(path: string, layout: Layout): readonly Finding[] {
  const found = statOf(path)
  if (found === undefined || found.isFile()) return []
  const problem = `is ${kindOf(found)}, not a file`
  const repair = (): void => {
    setAside(layout, path)
    lookOver(layout)
  }
  return [damage(nameOf(path, layout), problem, 'sets it aside', repair)]
}

/** What a small file has to hold. */
interface TextCheck {
  readonly is: (text: string) => boolean
  readonly layout: Layout
  /** The store was made completely. */
  readonly isMade: boolean
}

function checkText(path: string, { is, layout, isMade }: TextCheck): readonly Finding[] {
  const found = statOf(path)
  if (found !== undefined && !found.isFile()) return []
  const text = readIfThere(path)
  if (text !== undefined && is(text)) return []
  const problem = text === undefined ? 'is missing' : 'is not what was written'
  const finding = damage(nameOf(path, layout), problem, 'writes it anew', () => lookOver(layout))
  // A process may have been killed while it made the store.
  return [text === undefined && !isMade ? { ...finding, severity: 'leftover' } : finding]
}

/** Has the store completed, by all that it knows itself, when it is opened. */
function lookOver({ boot }: Layout): void {
  if (statOf(boot)?.isFile()) rmSync(boot)
}

function damage(subject: string, problem: string, remedy: string, repair?: () => void): Finding {
  return { severity: 'damage', subject, problem, remedy, ...(repair ? { repair } : {}) }
}

function nameOf(path: string, { root }: Layout): string {
  return relative(root, path) || root
}

/** What a thing is that is neither a file nor a folder where that is wanted. */
export function kindOf(found: Stats): string {
  if (found.isDirectory()) return 'a folder'
  if (found.isSymbolicLink()) return 'a symbolic link'
  return found.isFile() ? 'a file' : 'neither a file nor a folder'
}

function statOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false })
}
