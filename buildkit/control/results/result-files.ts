import { closeSync, constants, readSync } from 'node:fs'
import type { MadeImage } from '#builder'
import { resolveInTree, stackTree } from '#builder/layer'
import { goFileMode } from '#buildkit/files'
import type {
  Draft,
  FileStat as FileStatMessage,
  ReadDirRequest,
  ReadFileRequest,
  StatFileRequest,
} from '#buildkit/messages'
import {
  type FileStat,
  type FileType,
  joinName,
  type Name,
  nameOf,
  type Tree,
  TsbuildError,
  usageError,
} from '#core'
import { matchPath } from '#parser'

/** Bytes of a file in one answer: a message takes no more. */
const MOST = 16 * 1024 * 1024 - 1024

const NANOSECONDS = 1_000_000n

/** Files of a result, as a process in it would see them: links are followed, and none leads out. */
export async function readResultFile(
  image: MadeImage,
  { FilePath, Range }: ReadFileRequest,
): Promise<Buffer> {
  return await withTree(image, (tree) => {
    const path = find(tree, FilePath)
    const stat = tree.lstat(path)
    if (stat?.type !== 'file') throw missingError('open', FilePath)
    const start = Math.max(Range?.Offset ?? 0, 0)
    const rest = Math.max(stat.size - start, 0)
    const wanted = Range !== undefined && Range.Length > 0 ? Math.min(Range.Length, rest) : rest
    if (wanted > MOST) throw usageError(`${FilePath} is larger than ${MOST} bytes: read a part`)
    return readPart(tree, path, { start, length: wanted })
  })
}

/** What is in a folder of a result. */
export async function readResultFolder(
  image: MadeImage,
  { DirPath, IncludePattern }: ReadDirRequest,
): Promise<readonly Draft<FileStatMessage>[]> {
  return await withTree(image, (tree) => {
    const path = find(tree, DirPath)
    if (tree.lstat(path)?.type !== 'directory') throw missingError('open', DirPath)
    return tree
      .readdir(path)
      .filter((name) => IncludePattern === '' || matchPath(IncludePattern, name))
      .map((name) => statOf(tree, joinName(path, name), name))
  })
}

/** One file of a result; a link itself. */
export async function statResultFile(
  image: MadeImage,
  { Path }: StatFileRequest,
): Promise<Draft<FileStatMessage>> {
  return await withTree(image, (tree) => {
    const path = resolveInTree(tree, nameOf(Path), { followLast: false })
    if (tree.lstat(path) === undefined) throw missingError('lstat', Path)
    return statOf(tree, path, path.slice(path.lastIndexOf('/') + 1) as Name)
  })
}

async function withTree<T>(image: MadeImage, use: (tree: Tree) => T): Promise<T> {
  const tree = stackTree(await image.layers())
  try {
    return use(tree)
  } finally {
    tree.close()
  }
}

function find(tree: Tree, path: string): Name {
  return resolveInTree(tree, nameOf(path), { followLast: true })
}

interface Part {
  readonly start: number
  readonly length: number
}

function readPart(tree: Tree, path: Name, { start, length }: Part): Buffer {
  const descriptor = tree.openFile(path)
  try {
    const bytes = Buffer.alloc(length)
    let count = 0
    while (count < length) {
      const got = readSync(descriptor, bytes, count, length - count, start + count)
      if (got === 0) break
      count += got
    }
    return bytes.subarray(0, count)
  } finally {
    closeSync(descriptor)
  }
}

const TYPES: Readonly<Record<FileType, number>> = {
  file: constants.S_IFREG,
  directory: constants.S_IFDIR,
  symlink: constants.S_IFLNK,
  block: constants.S_IFBLK,
  character: constants.S_IFCHR,
  fifo: constants.S_IFIFO,
  socket: constants.S_IFSOCK,
}

function statOf(tree: Tree, path: Name, shown: Name): Draft<FileStatMessage> {
  const stat = tree.lstat(path)
  if (stat === undefined) throw missingError('lstat', path)
  return {
    path: shown,
    ...{ mode: goFileMode(TYPES[stat.type] | stat.mode), uid: stat.uid, gid: stat.gid },
    ...{ size: stat.size, modTime: nanosecondsOf(stat) },
    ...{ devmajor: stat.major, devminor: stat.minor },
    ...(stat.type === 'symlink' ? { linkname: tree.readlink(path) } : {}),
  }
}

function nanosecondsOf({ mtimeMs }: FileStat): bigint {
  const whole = Math.floor(mtimeMs)
  return BigInt(whole) * NANOSECONDS + BigInt(Math.round((mtimeMs - whole) * 1e6))
}

function missingError(call: string, path: string): TsbuildError {
  return new TsbuildError(`${call} ${path}: no such file or directory`, { code: 'NOT_FOUND' })
}
