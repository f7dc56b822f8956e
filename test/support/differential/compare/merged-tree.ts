import { createHash } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import tar, { type Header as Headers } from 'tar-stream'
import type { TreeEntry } from '../../peers/index.ts'

/** One file of a root file system, with its time: in seconds, or `now` when the build made it so. */
export interface TimedEntry extends TreeEntry {
  readonly mtime: string
}

/** What one entry of a layer says, with the sha256 of its content. */
export interface LayerEntry {
  readonly path: string
  readonly header: Headers
  readonly content: string
}

/** A file, which may have several names. */
interface Inode {
  readonly header: Headers
  readonly content: string
}

const WHITEOUT = '.wh.'
const OPAQUE = '.wh..wh..opq'

/** Reads the entries of an uncompressed layer, in order. */
export async function readLayer(bytes: Buffer): Promise<readonly LayerEntry[]> {
  const extract = tar.extract()
  const entries: LayerEntry[] = []
  extract.end(bytes)
  for await (const entry of extract) {
    const data = await buffer(entry)
    const content = createHash('sha256').update(data).digest('hex')
    entries.push({ path: absolute(entry.header.name), header: entry.header, content })
  }
  return entries
}

function absolute(name: string): string {
  return `/${name.replace(/^(\.?\/)+|^\.$/, '').replace(/\/$/, '')}`
}

/**
 * Puts layers on top of each other, without a disk.
 * @param since seconds; what is not older was made by the build, whenever that was
 */
export function mergeLayers(
  layers: readonly (readonly LayerEntry[])[],
  since: number,
): ReadonlyMap<string, TimedEntry> {
  const inodes = new Map<string, Inode>()
  for (const layer of layers) {
    for (const { path } of layer) removeMarked(inodes, path)
    for (const entry of layer) put(inodes, entry)
  }
  const names = new Map<Inode, string>()
  const tree = new Map<string, TimedEntry>()
  for (const [path, inode] of [...inodes].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const first = names.get(inode)
    if (first === undefined) names.set(inode, path)
    tree.set(path, {
      ...describe(inode),
      mtime: timeOf(inode.header, since),
      ...(first === undefined ? {} : { linkOf: first }),
    })
  }
  return tree
}

function baseOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

function removeMarked(inodes: Map<string, Inode>, path: string): void {
  const base = baseOf(path)
  if (!base.startsWith(WHITEOUT)) return
  const parent = path.slice(0, -base.length)
  if (base === OPAQUE) removeBelow(inodes, parent)
  else {
    const deleted = `${parent}${base.slice(WHITEOUT.length)}`
    inodes.delete(deleted)
    removeBelow(inodes, `${deleted}/`)
  }
}

function removeBelow(inodes: Map<string, Inode>, prefix: string): void {
  for (const path of inodes.keys()) {
    if (path.startsWith(prefix) && path !== prefix) inodes.delete(path)
  }
}

function put(inodes: Map<string, Inode>, { path, header, content }: LayerEntry): void {
  if (baseOf(path).startsWith(WHITEOUT)) return
  if (header.type === 'link') {
    const target = inodes.get(absolute(header.linkname ?? ''))
    if (target === undefined) throw new Error(`${path} is a link to what is not there`)
    inodes.set(path, target)
    return
  }
  if (header.type !== 'directory') removeBelow(inodes, `${path}/`)
  inodes.set(path, { header, content })
}

function describe({ header, content }: Inode): Omit<TreeEntry, 'linkOf'> {
  const type = TYPES[header.type ?? 'file'] ?? `${header.type}`
  const xattrs = Object.entries((header.pax ?? {}) as Readonly<Record<string, string>>)
    .filter(([key]) => key.startsWith('SCHILY.xattr.'))
    .map(([key, value]) => `${key.slice(13)}=${Buffer.from(value).toString('hex')}`)
  const mode =
    type === 'symlink' ? '0777' : ((header.mode ?? 0) & 0o7777).toString(8).padStart(4, '0')
  return {
    type,
    mode,
    owner: `${header.uid ?? 0}:${header.gid ?? 0}`,
    ...(type === 'file' ? { content } : {}),
    ...(type === 'symlink' ? { target: header.linkname ?? '' } : {}),
    ...(type === 'block' || type === 'character'
      ? { device: `${header.devmajor}:${header.devminor}` }
      : {}),
    ...(xattrs.length > 0 ? { xattrs: xattrs.sort().join(' ') } : {}),
  }
}

const TYPES: Readonly<Record<string, string>> = {
  'contiguous-file': 'file',
  'block-device': 'block',
  'character-device': 'character',
}

function timeOf({ mtime }: Headers, since: number): string {
  const seconds = Math.floor((mtime?.getTime() ?? 0) / 1000)
  return seconds >= since ? 'now' : `${seconds}`
}
