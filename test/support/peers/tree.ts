import { createHash } from 'node:crypto'
import { type BigIntStats, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './process.ts'

/** One file of a root file system, all but its times. */
export interface TreeEntry {
  readonly type: string
  /** Octal, with setuid, setgid and sticky. */
  readonly mode: string
  /** `uid:gid` */
  readonly owner: string
  /** sha256 of a regular file. */
  readonly content?: string
  /** Text of a symbolic link. */
  readonly target?: string
  /** `major:minor` of a device. */
  readonly device?: string
  /** The first name, in order, of a file that has several; absent for the first itself. */
  readonly linkOf?: string
  /** `name=hex`, sorted. */
  readonly xattrs?: string
}

/** Reads what is below `root`, without following links. Paths begin with `/`; `/` itself is in it. */
export async function readTree(root: string): Promise<ReadonlyMap<string, TreeEntry>> {
  const xattrs = await readXattrs(root)
  const entries = new Map<string, TreeEntry>()
  const names = new Map<string, string>()
  const visit = (path: string): void => {
    const file = path === '/' ? root : join(root, path)
    const stat = lstatSync(file, { bigint: true })
    const first = stat.isDirectory() ? undefined : names.get(`${stat.ino}`)
    names.set(`${stat.ino}`, first ?? path)
    const attributes = xattrs.get(file)
    entries.set(path, {
      ...describe(file, stat),
      ...(first === undefined ? {} : { linkOf: first }),
      ...(attributes === undefined ? {} : { xattrs: attributes }),
    })
    if (!stat.isDirectory()) return
    for (const name of readdirSync(file).sort())
      visit(path === '/' ? `/${name}` : `${path}/${name}`)
  }
  visit('/')
  return entries
}

function describe(file: string, stat: BigIntStats): TreeEntry {
  const mode = (Number(stat.mode) & 0o7777).toString(8).padStart(4, '0')
  const common = { mode, owner: `${stat.uid}:${stat.gid}` }
  if (stat.isDirectory()) return { type: 'directory', ...common }
  if (stat.isFile()) return { type: 'file', ...common, content: contentOf(file) }
  // The mode of a symbolic link means nothing.
  if (stat.isSymbolicLink()) {
    return { type: 'symlink', mode: '0777', owner: common.owner, target: readlinkSync(file) }
  }
  if (stat.isFIFO()) return { type: 'fifo', ...common }
  if (stat.isSocket()) return { type: 'socket', ...common }
  const type = stat.isBlockDevice() ? 'block' : 'character'
  return { type, ...common, device: `${stat.rdev >> 8n}:${stat.rdev & 255n}` }
}

function contentOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex')
}

/** By absolute path; only files that have any. umoci's own marks are not the image's. */
async function readXattrs(root: string): Promise<ReadonlyMap<string, string>> {
  const args = ['-R', '-P', '-h', '-d', '-m', '-', '-e', 'hex', '--absolute-names', root]
  const { stdout } = await run('getfattr', args)
  const found = new Map<string, string>()
  for (const block of stdout.split('\n\n')) {
    const [head = '', ...lines] = block.trim().split('\n')
    const values = lines.filter((line) => !line.startsWith('user.rootlesscontainers='))
    if (head.startsWith('# file: ') && values.length > 0) {
      found.set(unescaped(head.slice(8)), values.sort().join(' '))
    }
  }
  return found
}

function unescaped(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  )
}
