import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { closeSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { listXattrs } from '#builder/linux'
import { type FileStat, joinName, type Name, type Tree } from '#core'

export interface ListOptions {
  /** Also the times of directories. */
  readonly directoryTimes?: boolean
  /** Attributes to show, besides security.capability. */
  readonly xattrs?: (name: string) => boolean
}

/**
 * Everything below `directory`, one line a file: names are latin1 with escapes, hard links are shown
 * by their first name. Plain `lstat`s: nothing of the code under test.
 */
export function listing(directory: string, options: ListOptions = {}): string[] {
  const lines: string[] = []
  const first = new Map<number, string>()
  const walk = (path: string) => {
    const host = Buffer.from(join(directory, path), 'latin1')
    for (const name of readdirSync(host, 'latin1').sort()) {
      const child = path === '' ? name : `${path}/${name}`
      const bytes = Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(child, 'latin1')])
      const stat = lstatSync(bytes)
      lines.push(describeFile(child, bytes, first, options))
      if (stat.isDirectory()) walk(child)
    }
  }
  walk('')
  return lines
}

function describeFile(
  name: string,
  bytes: Buffer,
  first: Map<number, string>,
  options: ListOptions,
): string {
  const stat = lstatSync(bytes)
  const shown = JSON.stringify(name)
  const mode = stat.mode.toString(8)
  const owner = `${stat.uid}:${stat.gid}`
  const time =
    stat.isDirectory() && options.directoryTimes !== true
      ? ''
      : ` @${Math.floor(stat.mtimeMs / 1000)}`
  if (!stat.isDirectory() && stat.nlink > 1) {
    const earlier = first.get(stat.ino)
    if (earlier !== undefined) return `${shown} = ${JSON.stringify(earlier)}`
    first.set(stat.ino, name)
  }
  let content = ''
  if (stat.isFile()) {
    const digest = createHash('sha256').update(readFileSync(bytes)).digest('hex').slice(0, 16)
    content = ` ${stat.size} ${digest}`
  }
  if (stat.isSymbolicLink()) content = ` -> ${JSON.stringify(readlinkSync(bytes, 'latin1'))}`
  if (stat.isBlockDevice() || stat.isCharacterDevice())
    content = ` ${stat.rdev >> 8}:${stat.rdev & 0xff}`
  const kept = [...listXattrs(bytes)].filter(
    ([key]) => key === 'security.capability' || options.xattrs?.(key) === true,
  )
  const xattrs = kept.map(([key, value]) => ` ${key}=${value.toString('hex')}`).join('')
  return `${shown} ${mode} ${owner}${time}${content}${xattrs}`
}

/** The same lines for a `Tree`. */
export function treeListing(tree: Tree): string[] {
  const lines: string[] = []
  const first = new Map<string, string>()
  const walk = (path: Name) => {
    for (const name of tree.readdir(path)) {
      const child = joinName(path, name)
      const stat = tree.lstat(child)
      if (stat === undefined) throw new Error(`${child} is listed but not there`)
      lines.push(describeEntry(tree, child, stat, first))
      if (stat.type === 'directory') walk(child)
    }
  }
  walk('' as Name)
  return lines
}

const TYPE_BITS = {
  fifo: 0o010000,
  character: 0o020000,
  directory: 0o040000,
  block: 0o060000,
  file: 0o100000,
  symlink: 0o120000,
  socket: 0o140000,
}

function describeEntry(tree: Tree, path: Name, stat: FileStat, first: Map<string, string>): string {
  const shown = JSON.stringify(path)
  if (stat.type !== 'directory' && stat.nlink > 1) {
    const earlier = first.get(stat.inode)
    if (earlier !== undefined) return `${shown} = ${JSON.stringify(earlier)}`
    first.set(stat.inode, path)
  }
  const mode = (stat.mode | TYPE_BITS[stat.type]).toString(8)
  const time = stat.type === 'directory' ? '' : ` @${Math.floor(stat.mtimeMs / 1000)}`
  let content = ''
  if (stat.type === 'file') {
    const fd = tree.openFile(path)
    const digest = createHash('sha256').update(readFileSync(fd)).digest('hex').slice(0, 16)
    closeSync(fd)
    content = ` ${stat.size} ${digest}`
  }
  if (stat.type === 'symlink') content = ` -> ${JSON.stringify(tree.readlink(path))}`
  if (stat.type === 'block' || stat.type === 'character') content = ` ${stat.major}:${stat.minor}`
  const kept = stat.type === 'file' ? [...tree.xattrs(path)] : []
  const xattrs = kept.map(([key, value]) => ` ${key}=${value.toString('hex')}`).join('')
  return `${shown} ${mode} ${stat.uid}:${stat.gid}${time}${content}${xattrs}`
}

/** A tree in short: `dir/`, `file=content`, `link -> target`, other types in brackets. */
export function outline(tree: Tree): string[] {
  const lines: string[] = []
  const walk = (path: Name) => {
    for (const name of tree.readdir(path)) {
      const child = joinName(path, name)
      const type = tree.lstat(child)?.type
      if (type === 'directory') lines.push(`${child}/`)
      else if (type === 'symlink') lines.push(`${child} -> ${tree.readlink(child)}`)
      else if (type === 'file') lines.push(`${child}=${contentOf(tree, child)}`)
      else lines.push(`${child} [${type}]`)
      if (type === 'directory') walk(child)
    }
  }
  walk('' as Name)
  return lines
}

function contentOf(tree: Tree, path: Name): string {
  const fd = tree.openFile(path)
  const content = readFileSync(fd, 'latin1')
  closeSync(fd)
  return content
}
