import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { changesOf, stackTree, writeLayer } from '#builder/layer'
import { listXattrs } from '#builder/linux'

/** Of what is on the disk: marks of the kernel's overlay, and labels of the host. */
const NOT_SHOWN = /^trusted\.overlay\.|^user\.overlay\.|^security\.(?!capability$)/

/** Everything that a program sees in a directory, one line a file, but not which names are one file. */
export function shownFiles(directory: string): string[] {
  const lines = [describe('.', directory)]
  const walk = (path: string): void => {
    for (const name of readdirSync(join(directory, path)).sort()) {
      const child = join(path, name)
      const at = join(directory, child)
      const stat = lstatSync(at)
      if (stat.isSocket()) continue
      lines.push(describe(child, at))
      if (stat.isDirectory()) walk(child)
    }
  }
  walk('')
  return lines
}

function describe(name: string, at: string): string {
  const stat = lstatSync(at)
  const { uid, gid, mode, rdev } = stat
  const facts = [name, mode.toString(8), `${uid}:${gid}`, `@${Math.floor(stat.mtimeMs / 1000)}`]
  if (stat.isFile()) facts.push(`${stat.size}`, digestOf(at))
  if (stat.isSymbolicLink()) facts.push(readlinkSync(at))
  if (stat.isCharacterDevice()) facts.push(`device ${rdev}`)
  // File systems list them in an order of their own.
  for (const [key, value] of [...listXattrs(at)].sort()) {
    if (!NOT_SHOWN.test(key)) facts.push(`${key}=${value.toString('hex')}`)
  }
  return facts.join(' ')
}

function digestOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 16)
}

/** What a tar has, one line an entry. */
export function listed(tar: string): string[] {
  return execFileSync('tar', ['--numeric-owner', '-tvf', tar], { encoding: 'latin1' }).split('\n')
}

/** What a layer's tar has, one line an entry, and its digest last. */
export function packed(upper: string, lower: readonly string[], tar: string): string[] {
  const tree = stackTree(lower)
  try {
    const lines: string[] = []
    for (const change of changesOf(upper, { lower: tree })) {
      if (change.kind !== 'entry') lines.push(`${change.kind} ${change.path}`)
      else {
        const { type, mode, uid, gid, size, mtimeMs } = change.stat
        const link = change.hardlink === undefined ? '' : ` = ${change.hardlink}`
        const facts = [type, mode.toString(8), `${uid}:${gid}`, size, Math.floor(mtimeMs / 1000)]
        lines.push(`${change.path}${link} ${facts.join(' ')}`)
      }
    }
    return [...lines, writeLayer(changesOf(upper, { lower: tree }), { tar }).diffId ?? '']
  } finally {
    tree.close()
  }
}
