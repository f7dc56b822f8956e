/**
 * Unpacking what a container has sent. Its names and links are the container's choice: nothing is written outside of the
 * folder, and no link in it is followed, whoever has made it.
 */
import { createWriteStream, constants as fs } from 'node:fs'
import { chmod, link, lstat, mkdir, open, symlink, unlink, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { extract, type Header } from 'tar-stream'
import { errnoOf, ioError } from '#core'
import { copyError, type Route } from './places.ts'

/** Folders get their times and rights when all is in them. */
interface Finished {
  readonly path: string
  readonly headers: Header
}

/**
 * Unpacks an archive, whose first entry gets the name of the route.
 * @throws {TsbuildError} USAGE for what does not fit what is there, or leads out of the folder
 */
export async function unpackInto({ folder, name }: Route, archive: Readable): Promise<void> {
  const entries = extract()
  const unpacking = pipeline(archive, entries as unknown as Writable)
  unpacking.catch(() => undefined)
  const folders: Finished[] = []
  let first: string | undefined
  for await (const source of entries) {
    const entry = source as unknown as Readable & { readonly header: Header }
    const { header } = entry
    const parts = partsOf(header.name)
    first ??= parts[0] ?? '.'
    const renamed = renamedParts(parts, first, name)
    const path = await safePath(folder, renamed)
    if (header.type === 'directory') folders.push({ path, headers: header })
    const linked =
      header.type === 'link' ? renamedParts(partsOf(header.linkname ?? ''), first, name) : []
    await write(entry, { path, linked: await safePath(folder, linked) })
    entry.resume()
  }
  await unpacking
  for (const { path, headers } of folders.reverse()) await finish(path, headers)
}

function partsOf(name: string): readonly string[] {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.')
  if (parts.includes('..')) throw copyError(`the archive has an entry outside of it: ${name}`)
  return parts
}

/** The contents of a folder have no name in front; a folder or file has the one that it had. */
function renamedParts(parts: readonly string[], first: string, name: string): readonly string[] {
  const rest = first === '.' ? parts : parts.slice(1)
  return name === '.' ? rest : [name, ...rest]
}

/** The path of an entry, when all folders on the way to it are folders and no links. */
async function safePath(folder: string, parts: readonly string[]): Promise<string> {
  let path = folder
  for (const part of parts.slice(0, -1)) {
    path = join(path, part)
    const stats = await lstat(path)
    if (!stats.isDirectory()) throw copyError(`${path} is not a directory`)
  }
  return join(path, parts.at(-1) ?? '')
}

interface Target {
  readonly path: string
  /** Of a hard link, the file that it is another name of. */
  readonly linked: string
}

async function write(
  entry: Readable & { readonly header: Header },
  { path, linked }: Target,
): Promise<void> {
  const { header } = entry
  const isFolder = header.type === 'directory'
  try {
    if (!(await makeRoom(path, isFolder))) return
    if (isFolder) await mkdir(path)
    else if (header.type === 'symlink') await symlink(header.linkname ?? '', path)
    else if (header.type === 'link') await link(linked, path)
    else if (header.type === 'file' || header.type === 'contiguous-file')
      await writeFile(entry, path)
  } catch (cause) {
    throw ioError(`copy ${header.name} to ${path}`, cause)
  }
}

/** @returns false for a folder that is there already */
async function makeRoom(path: string, isFolder: boolean): Promise<boolean> {
  const stats = await lstat(path).catch((cause) => {
    if (errnoOf(cause) === 'ENOENT') return undefined
    throw cause
  })
  if (stats === undefined) return true
  if (isFolder && stats.isDirectory()) return false
  if (isFolder) throw copyError(`cannot overwrite non-directory "${path}" with directory`)
  if (stats.isDirectory())
    throw copyError(`cannot overwrite directory "${path}" with non-directory`)
  await unlink(path)
  return true
}

async function writeFile(
  entry: Readable & { readonly header: Header },
  path: string,
): Promise<void> {
  const flags = fs.O_WRONLY | fs.O_CREAT | fs.O_EXCL | fs.O_NOFOLLOW
  const file = await open(path, flags, 0o600)
  await pipeline(entry, createWriteStream('', { fd: file.fd, autoClose: false })).finally(() =>
    file.close(),
  )
  await finish(path, entry.header)
}

async function finish(path: string, { mode, mtime }: Header): Promise<void> {
  // Programs of a container's root are not this user's.
  await chmod(path, mode & 0o777)
  await utimes(path, mtime, mtime)
}
