import { Buffer } from 'node:buffer'
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  ftruncateSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  type Stats,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { listXattrs, makeNode, setXattr } from '#builder/linux'
import { errnoOf } from '#core'

/** What a step may do to a file; paths are relative to the root. */
export type Operation =
  | { readonly op: 'write' | 'append'; readonly path: string; readonly text: string }
  | { readonly op: 'sparse'; readonly path: string; readonly size: number }
  | { readonly op: 'open' | 'unlink' | 'rmdir' | 'mkdir' | 'removeTree'; readonly path: string }
  | { readonly op: 'fifo' | 'device' | 'socket'; readonly path: string }
  | { readonly op: 'chmod'; readonly path: string; readonly mode: number }
  | { readonly op: 'chown'; readonly path: string; readonly uid: number }
  | { readonly op: 'touch'; readonly path: string; readonly seconds: number }
  | { readonly op: 'rename' | 'link' | 'symlink'; readonly path: string; readonly to: string }
  | { readonly op: 'setxattr'; readonly path: string; readonly name: string; readonly text: string }
  /** Removes what is there, and makes the same again. */
  | { readonly op: 'remake'; readonly path: string }

/** A root in which operations are done. */
export interface OperatedRoot {
  readonly path: string
  /** Decides which names are one file when a directory is copied. */
  readonly linkOf: (path: string) => string | undefined
  /** A directory that was there when the root was shown: it is copied back and not renamed. */
  readonly isHome: (inode: number, path: string) => boolean
}

/** Does one operation. @returns the errno name of a failure */
export function operate(root: OperatedRoot, operation: Operation): string | undefined {
  try {
    perform(root, operation)
    return undefined
  } catch (cause) {
    const errno = errnoOf(cause)
    if (errno === undefined || errno.startsWith('ERR_')) throw cause
    return errno
  }
}

function perform(root: OperatedRoot, operation: Operation): void {
  const path = join(root.path, operation.path)
  switch (operation.op) {
    case 'write':
      withFile(path, constants.O_CREAT | constants.O_TRUNC, (fd) => writeSync(fd, operation.text))
      break
    case 'append':
      withFile(path, constants.O_APPEND, (fd) => writeSync(fd, operation.text))
      break
    case 'sparse':
      withFile(path, constants.O_CREAT, (fd) => {
        ftruncateSync(fd, operation.size)
        writeSync(fd, 'middle', operation.size >> 1)
      })
      break
    case 'open':
      withFile(path, 0, () => {})
      break
    case 'unlink':
      unlinkSync(path)
      break
    case 'rmdir':
      rmdirSync(path)
      break
    case 'mkdir':
      mkdirSync(path, 0o755)
      break
    case 'removeTree':
      rmSync(path, { recursive: true, force: true })
      break
    case 'fifo':
      makeNode(path, 'fifo', { mode: 0o640 })
      break
    case 'device':
      makeNode(path, 'character', { mode: 0o660, major: 1, minor: 3 })
      break
    case 'socket':
      makeNode(path, 'socket', { mode: 0o660 })
      break
    case 'chmod':
      if (!lstatSync(path).isSymbolicLink()) chmodSync(path, operation.mode)
      break
    case 'chown':
      lchownSync(path, operation.uid, operation.uid)
      break
    case 'touch':
      lutimesSync(path, operation.seconds, operation.seconds)
      break
    case 'rename':
      move(root, operation)
      break
    case 'link':
      linkSync(path, join(root.path, operation.to))
      break
    case 'symlink':
      symlinkSync(operation.to, path)
      break
    case 'setxattr':
      setXattr(path, operation.name, Buffer.from(operation.text))
      break
    case 'remake':
      remake(root, operation.path)
      break
  }
}

/** Neither waits for a fifo nor follows a link. */
function withFile(path: string, flags: number, use: (fd: number) => unknown): void {
  const { O_WRONLY, O_NOFOLLOW, O_NONBLOCK } = constants
  if (lstatSync(path, { throwIfNoEntry: false })?.isFile() === false) return
  const fd = openSync(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | flags, 0o644)
  try {
    use(fd)
  } finally {
    closeSync(fd)
  }
}

/** As mv(1): overlayfs does not rename directories of layers. */
function move(root: OperatedRoot, { path, to }: { path: string; to: string }): void {
  const [from, target] = [join(root.path, path), join(root.path, to)]
  const stat = lstatSync(from)
  try {
    if (path !== to && stat.isDirectory() && root.isHome(stat.ino, to)) copyInstead(root, path, to)
    else renameSync(from, target)
  } catch (cause) {
    if (errnoOf(cause) !== 'EXDEV') throw cause
    copyInstead(root, path, to)
  }
}

/** Fails as rename(2) does. */
function copyInstead(root: OperatedRoot, path: string, to: string): void {
  const [from, target] = [join(root.path, path), join(root.path, to)]
  if (`${to}/`.startsWith(`${path}/`)) throw failure('EINVAL')
  if (lstatSync(target, { throwIfNoEntry: false }) !== undefined) rmdirSync(target)
  copyTree(root, path, to, new Map())
  rmSync(from, { recursive: true })
}

function remake(root: OperatedRoot, path: string): void {
  const at = join(root.path, path)
  const parent = join(at, '..')
  lstatSync(at)
  const aside = `${at}.aside`
  const { mtimeMs } = lstatSync(parent)
  copyTree(root, path, `${path}.aside`, new Map())
  rmSync(at, { recursive: true })
  renameSync(aside, at)
  lutimesSync(parent, mtimeMs / 1000, mtimeMs / 1000)
}

function copyTree(root: OperatedRoot, path: string, to: string, links: Map<string, string>): void {
  const [from, target] = [join(root.path, path), join(root.path, to)]
  const stat = lstatSync(from)
  const link = stat.isDirectory() ? undefined : root.linkOf(path)
  const first = link === undefined ? undefined : links.get(link)
  if (first !== undefined) {
    linkSync(first, target)
    return
  }
  if (link !== undefined) links.set(link, target)
  makeLike(stat, from, target)
  if (stat.isDirectory()) {
    for (const name of readdirSync(from)) copyTree(root, join(path, name), join(to, name), links)
  }
  lchownSync(target, stat.uid, stat.gid)
  if (!stat.isSymbolicLink()) chmodSync(target, stat.mode & 0o7777)
  for (const [name, value] of listXattrs(from)) {
    if (!/^trusted\.overlay|^security\.(?!capability)/.test(name)) setXattr(target, name, value)
  }
  lutimesSync(target, stat.mtimeMs / 1000, stat.mtimeMs / 1000)
}

function makeLike(stat: Stats, from: string, target: string): void {
  const mode = stat.mode & 0o7777
  if (stat.isDirectory()) mkdirSync(target)
  else if (stat.isFile()) copyFileSync(from, target, constants.COPYFILE_EXCL)
  else if (stat.isSymbolicLink()) symlinkSync(readlinkSync(from), target)
  else if (stat.isFIFO()) makeNode(target, 'fifo', { mode })
  else if (stat.isSocket()) makeNode(target, 'socket', { mode })
  else makeNode(target, 'character', { mode, major: 1, minor: 3 })
}

function failure(code: string): Error {
  return Object.assign(new Error(code), { code })
}
