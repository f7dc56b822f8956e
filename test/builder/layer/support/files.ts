import { Buffer } from 'node:buffer'
import { execFileSync } from 'node:child_process'
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A fresh directory for one test file, removed by `after`. */
export function temporary(): { readonly path: string; fresh(): string } {
  const path = mkdtempSync(join(tmpdir(), 'tsbuild-layer-'))
  let count = 0
  after(() => rmSync(path, { recursive: true, force: true }))
  return {
    path,
    fresh: () => {
      count += 1
      return join(path, String(count))
    },
  }
}

/** In pieces of odd sizes, as they come from a network. */
export async function* chunked(bytes: Buffer, size = 7001): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** The same from a source that uses one buffer for all pieces: a piece is good until the next. */
export async function* reused(bytes: Buffer, size = 7001): AsyncGenerator<Buffer> {
  const buffer = Buffer.alloc(size)
  for (let at = 0; at < bytes.length; at += size) {
    buffer.fill(0xaa)
    yield buffer.subarray(0, bytes.copy(buffer, 0, at))
  }
}

export async function collected(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of bytes) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

/** A digest of a tree with all that a stray write could change, times of inodes included. */
export function fingerprint(directory: string): string {
  const lines: string[] = []
  const walk = (path: string) => {
    const stat = lstatSync(path)
    const content = stat.isFile() ? readFileSync(path, 'latin1') : ''
    lines.push(
      `${path} ${stat.mode} ${stat.uid} ${stat.gid} ${stat.nlink} ${stat.size} ${stat.mtimeMs} ${stat.ctimeMs} ${content}`,
    )
    if (stat.isDirectory()) for (const name of readdirSync(path).sort()) walk(join(path, name))
  }
  walk(directory)
  return lines.join('\n')
}

export const isRoot: boolean = process.getuid?.() === 0

export function hasTool(name: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${name}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/**
 * Runs a shell script where overlay directories are mounted, in a mount namespace of its own.
 * `lowers` are topmost first; `$M` is the mount point.
 */
export function inOverlay(
  script: string,
  dirs: { readonly lowers: readonly string[]; readonly upper?: string; readonly work?: string },
): string {
  const { lowers, upper, work } = dirs
  const writable = upper === undefined ? '' : `,upperdir=${upper},workdir=${work}`
  const stack = [...lowers]
  // With one lower directory and nothing on top, overlayfs wants a second one.
  if (lowers.length === 1 && upper === undefined) stack.push('$EMPTY')
  const setup = `set -e; M=$(mktemp -d); EMPTY=$(mktemp -d)
trap 'cd /; umount "$M"; rmdir "$M" "$EMPTY"' EXIT
mount -t overlay overlay -o "redirect_dir=off,metacopy=off,index=off,lowerdir=${stack.join(':')}${writable}" "$M"
cd "$M"
`
  return execFileSync('unshare', ['-m', 'bash', '-c', setup + script], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 1 << 26,
  })
}

/** `listing` of what the kernel shows for a stack of directories. */
export function overlayListing(lowers: readonly string[]): string[] {
  const lister = new URL('./list.js', import.meta.url).pathname
  return JSON.parse(inOverlay(`"${process.execPath}" "${lister}" "$M"`, { lowers }))
}
