import { createReadStream, type Stats } from 'node:fs'
import { lstat, readdir, readlink, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Header, type Pack, pack } from 'tar-stream'
import { ioError } from '#core'

/** What an entry is written with. */
type EntryHeader = Partial<Header> & Pick<Header, 'name'>

/** What is packed. */
export interface Packed {
  /** On this machine. */
  readonly path: string
  /** In the archive. */
  readonly name: string
  /** What the path itself is a link to, in place of the link. */
  readonly isFollowed: boolean
}

/** A file or folder of this machine as a tar, which is made while it is read. */
export function packPath(packed: Packed): Readable {
  const archive = pack()
  addAll(archive, packed).then(
    () => archive.finalize(),
    (cause: Error) => archive.destroy(cause),
  )
  return archive as unknown as Readable
}

/** Folders that are still to be read, not calls in calls: a tree may be deep. */
async function addAll(archive: Pack, { path, name, isFollowed }: Packed): Promise<void> {
  const first = isFollowed ? await stat(path) : await lstat(path)
  const waiting = [{ path, name, stats: first }]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    await addEntry(archive, next)
    if (!next.stats.isDirectory()) continue
    const children = (await readdir(next.path)).sort().reverse()
    for (const child of children) {
      const inside = join(next.path, child)
      waiting.push({ path: inside, name: `${next.name}/${child}`, stats: await lstat(inside) })
    }
  }
}

interface Entry {
  readonly path: string
  readonly name: string
  readonly stats: Stats
}

async function addEntry(archive: Pack, { path, name, stats }: Entry): Promise<void> {
  const headers = await headersOf(path, name, stats)
  if (headers === undefined) return
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const sink = archive.entry(headers, (cause) => (cause ? reject(cause) : resolve()))
  if (headers.type === 'file' && stats.size > 0) {
    // A file that grows meanwhile has the size that it had.
    await pipeline(
      createReadStream(path, { end: stats.size - 1 }),
      sink as unknown as Writable,
    ).catch((cause) => {
      throw ioError(`read ${path}`, cause)
    })
  } else sink.end(undefined)
  await promise
}

/** `undefined` for what has no place in an archive: sockets. */
async function headersOf(
  path: string,
  name: string,
  stats: Stats,
): Promise<EntryHeader | undefined> {
  const { mode, uid, gid, mtime } = stats
  const common = { name, mode: mode & 0o7777, uid, gid, mtime }
  if (stats.isFile()) return { ...common, type: 'file', size: stats.size }
  if (stats.isDirectory()) return { ...common, name: `${name}/`, type: 'directory' }
  if (stats.isSymbolicLink()) return { ...common, type: 'symlink', linkname: await readlink(path) }
  if (stats.isFIFO()) return { ...common, type: 'fifo' }
  const device = { devmajor: major(stats.rdev), devminor: minor(stats.rdev) }
  if (stats.isCharacterDevice()) return { ...common, ...device, type: 'character-device' }
  if (stats.isBlockDevice()) return { ...common, ...device, type: 'block-device' }
  return undefined
}

/** Spec: makedev(3), for numbers that fit into 32 bits */
function major(device: number): number {
  return (device >> 8) & 0xfff
}

function minor(device: number): number {
  return (device & 0xff) | ((device >> 12) & 0xfff00)
}
