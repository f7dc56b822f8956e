import {
  chmodSync,
  chownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { run } from '../peers/index.ts'

/** Seconds; times that no file gets by being made: of what lies in the context, and in archives. */
const MTIME = 1_000_000_000
const PACKED_MTIME = 900_000_000

/**
 * Makes the files of a listing in `folder`, all with one old time. A line is one of
 * `dir/ 0755 1:2`, `file 0644 1:2 =text`, `file ="JSON text"`, `link -> target`, `name => first name`,
 * `name 0644 %fifo`, `name %socket`, and `archive @FLAGS folder`, which packs a folder of the listing
 * with `tar -cFLAGS` and removes it; modes and owners may be left out, and `^HEX` gives a file capabilities. The Dockerfile is put
 * beside them.
 */
export async function makeFiles(
  folder: string,
  listing: readonly string[],
  dockerfile: string,
): Promise<void> {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'Dockerfile'), dockerfile)
  lutimesSync(join(folder, 'Dockerfile'), MTIME, MTIME)
  for (const line of listing) if (!/ [@%]/.test(line)) makeFile(folder, line)
  for (const line of listing) {
    await makeSpecial(folder, line)
    await setCapabilities(folder, line)
  }
  for (const line of listing.toReversed()) touch(folder, line)
  for (const line of listing) await pack(folder, line)
  lutimesSync(folder, MTIME, MTIME)
}

function makeFile(folder: string, line: string): void {
  const name = nameOf(line)
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  const [, arrow, target = ''] = / (->|=>) (.*)$/.exec(line) ?? []
  if (arrow === '->') symlinkSync(target, path)
  else if (arrow === '=>') linkSync(join(folder, target), path)
  else if (name.endsWith('/')) mkdirSync(path, { recursive: true })
  else writeFileSync(path, textOf(line) ?? name)
  if (arrow !== undefined) return
  const head = line.split(' =', 1)[0] ?? ''
  const [, user, group] = / (\d+):(\d+)/.exec(head) ?? []
  if (user !== undefined) chownSync(path, Number(user), Number(group))
  const mode = / (0\d+)$| (0\d+) /.exec(head)
  chmodSync(
    path,
    Number.parseInt(mode?.[1] ?? mode?.[2] ?? (name.endsWith('/') ? '755' : '644'), 8),
  )
}

const SOCKET = 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])'

async function makeSpecial(folder: string, line: string): Promise<void> {
  const [, mode, kind] = / (?:(0\d+) )?%(fifo|socket)$/.exec(line) ?? []
  if (kind === undefined) return
  const path = join(folder, nameOf(line))
  mkdirSync(dirname(path), { recursive: true })
  if (kind === 'fifo') await run('mkfifo', [path])
  else await run('python3', ['-c', SOCKET, path])
  chmodSync(path, Number.parseInt(mode ?? '644', 8))
}

async function setCapabilities(folder: string, line: string): Promise<void> {
  const value = / \^([0-9a-f]+)/.exec(line)?.[1]
  if (value === undefined) return
  const attribute = ['-n', 'security.capability', '-v', `0x${value}`]
  await run('setfattr', [...attribute, join(folder, nameOf(line))])
}

function textOf(line: string): string | undefined {
  const text = / =(.*)$/.exec(line)?.[1]
  return text?.startsWith('"') === true ? JSON.parse(text) : text
}

/** Names with blanks are JSON strings. */
function nameOf(line: string): string {
  const quoted = /^"[^"]*"/.exec(line)?.[0]
  return quoted === undefined ? (line.split(' ', 1)[0] ?? '') : JSON.parse(quoted)
}

function touch(folder: string, line: string): void {
  if (line.includes(' @')) return
  let path = nameOf(line).replace(/\/$/, '')
  while (path !== '.' && path !== '') {
    lutimesSync(join(folder, path), MTIME, MTIME)
    path = dirname(path)
  }
}

async function pack(folder: string, line: string): Promise<void> {
  const [, name = '', flags = '', source = ''] = /^(\S+) @(\S*) (\S+)$/.exec(line) ?? []
  if (name === '') return
  const from = join(folder, source)
  mkdirSync(dirname(join(folder, name)), { recursive: true })
  const xattrs = ['--xattrs', '--xattrs-include=*']
  const options = ['--sort=name', '--numeric-owner', `--mtime=@${PACKED_MTIME}`, ...xattrs]
  await run('tar', [`-c${flags}f`, join(folder, name), ...options, '-C', from, '.'])
  rmSync(from, { recursive: true })
  lutimesSync(join(folder, name), MTIME, MTIME)
}

/** A folder as a tar in which everything belongs to root, as in every context. */
export async function packContext(folder: string): Promise<Buffer> {
  const file = `${folder}.tar`
  const owner = ['--owner=0', '--group=0', '--numeric-owner']
  await run('tar', ['--format=gnu', '--sort=name', ...owner, '-cf', file, '-C', folder, '.'])
  try {
    return readFileSync(file)
  } finally {
    rmSync(file)
  }
}
