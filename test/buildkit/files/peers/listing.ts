import { execFileSync } from 'node:child_process'

const MOST = 256 * 1024 * 1024

/**
 * What find(1) says of all below a folder, sorted: kind, mode, size, time, link, device, which names are one file, and
 * contents by sha256sum(1).
 */
export function listing(folder: string): string {
  const inodes = new Map<string, number>()
  const format = '%P\\t%y %m %T@ %l\\t%i %s\\0'
  const found = execFileSync('find', ['.', '-mindepth', '1', '-printf', format], {
    ...{ cwd: folder, maxBuffer: MOST, encoding: 'latin1' },
  })
  const lines = found.split('\0').filter((line) => line !== '')
  const listed = lines.sort().map((line) => {
    const [path = '', what = '', rest = ''] = line.split('\t')
    const [inode = '', size = ''] = rest.split(' ')
    // As in BuildKit, only regular files have several names.
    if (!what.startsWith('f')) return `${path} ${what}`
    if (!inodes.has(inode)) inodes.set(inode, inodes.size)
    return `${path} ${what} ${size} file ${inodes.get(inode)}`
  })
  return `${listed.join('\n')}\n${sums(folder)}${devices(folder)}`
}

function sums(folder: string): string {
  const script = 'find . -type f -print0 | LC_ALL=C sort -z | xargs -0r sha256sum'
  return execFileSync('sh', ['-c', script], { cwd: folder, maxBuffer: MOST, encoding: 'latin1' })
}

function devices(folder: string): string {
  const script =
    "find . \\( -type b -o -type c \\) -print0 | LC_ALL=C sort -z | xargs -0r stat -c '%n %t %T'"
  return execFileSync('sh', ['-c', script], { cwd: folder, maxBuffer: MOST, encoding: 'latin1' })
}
