import { Buffer } from 'node:buffer'
import { digestOf, type EntryChange, type FileType, type Name } from '#core'
import { BLOCK, paddingAfter } from '../content/blocks.ts'
import { encodePax } from './pax.ts'

/** What fits into seven and eleven octal digits. */
const MAX_OCTAL_7 = 0o7777777
const MAX_OCTAL_11 = 0o77777777777
const HALF = 0o100000000
const NOT_ASCII = /[^\0-\x7f]/
const CHECKSUM_AT = 148

const TYPE_FLAGS: Readonly<Record<Exclude<FileType, 'socket'>, string>> = {
  file: '0',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
}
const HARDLINK_FLAG = '1'
const PAX_FLAG = 'x'

/** The fields of one ustar block; names are latin1. */
interface Fields {
  readonly name: string
  readonly flag: string
  readonly size: number
  readonly mode?: number
  readonly uid?: number
  readonly gid?: number
  /** Seconds. */
  readonly mtime?: number
  readonly linkname?: string
  readonly major?: number
  readonly minor?: number
}

/**
 * The header blocks of one entry: PAX records for what ustar cannot hold, then ustar. Equal files give
 * equal bytes: there are no user names, and the only time is the modification time in whole seconds. Spec: POSIX.1-2024 pax, ustar interchange format
 */
export function encodeHeader(change: EntryChange, size: number): Buffer[] {
  const fields = fieldsOf(change, size)
  const records = paxRecords(fields, change.xattrs)
  if (records.size === 0) return [encodeBlock(fields)]
  const body = encodePax(records)
  const padding = Buffer.alloc(paddingAfter(body.length))
  const pax = encodeBlock({ name: 'PaxHeaders.0', flag: PAX_FLAG, mode: 0o644, size: body.length })
  return [pax, body, padding, encodeBlock(fields)]
}

/**
 * What the header of an entry says beside its path and its size, as text without NUL: entries with equal keys,
 * paths and sizes have equal headers.
 */
export function headerKey(change: EntryChange): string {
  const { flag, mode, uid, gid, mtime, linkname, major, minor } = fieldsOf(change, 0)
  const plain = `${flag} ${mode} ${uid} ${gid} ${mtime}`
  const xattrs = [...(change.xattrs ?? [])].map(([key, value]) => `${key}=${value.toString('hex')}`)
  if (linkname === '' && major === 0 && minor === 0 && xattrs.length === 0) return plain
  return `${plain} ${digestOf(JSON.stringify([linkname, major, minor, xattrs.sort()]))}`
}

function fieldsOf(change: EntryChange, size: number): Fields {
  const { stat } = change
  if (stat.type === 'socket') throw new Error('a socket has no tar header')
  const flag = change.hardlink === undefined ? TYPE_FLAGS[stat.type] : HARDLINK_FLAG
  return {
    name: flag === TYPE_FLAGS.directory ? `${change.path}/` : change.path,
    flag,
    size,
    mode: stat.mode,
    uid: stat.uid,
    gid: stat.gid,
    mtime: Math.floor(stat.mtimeMs / 1000),
    linkname: change.hardlink ?? change.target ?? '',
    major: stat.major,
    minor: stat.minor,
  }
}

/** The header of a whiteout: an empty file without permissions and time. */
export function encodeWhiteout(path: Name): Buffer[] {
  const stat = { type: 'file', mode: 0, uid: 0, gid: 0, size: 0, mtimeMs: 0 } as const
  const rest = { major: 0, minor: 0, inode: '', nlink: 1 }
  return encodeHeader({ kind: 'entry', path, stat: { ...stat, ...rest } }, 0)
}

function paxRecords(
  fields: Fields,
  xattrs: ReadonlyMap<string, Buffer> | undefined,
): Map<string, string> {
  const { name, linkname = '', uid = 0, gid = 0, size, mtime = 0 } = fields
  const records = new Map<string, string>()
  if (splitName(name) === undefined) records.set('path', name)
  if (linkname.length > 100 || NOT_ASCII.test(linkname)) records.set('linkpath', linkname)
  if (uid > MAX_OCTAL_7) records.set('uid', String(uid))
  if (gid > MAX_OCTAL_7) records.set('gid', String(gid))
  if (size > MAX_OCTAL_11) records.set('size', String(size))
  if (mtime < 0 || mtime > MAX_OCTAL_11) records.set('mtime', String(mtime))
  for (const [key, value] of xattrs ?? []) {
    records.set(`SCHILY.xattr.${key}`, value.toString('latin1'))
  }
  return records
}

/** A long name is cut at a slash into prefix and name; `undefined` when ustar cannot hold it. */
function splitName(name: string): { readonly prefix: string; readonly name: string } | undefined {
  if (NOT_ASCII.test(name)) return undefined
  if (name.length <= 100) return { prefix: '', name }
  // The slash at the end of a directory's name is not a separator.
  const slash = name.indexOf('/', name.length - 101)
  if (slash <= 0 || slash > 155 || slash >= name.length - 1) return undefined
  return { prefix: name.slice(0, slash), name: name.slice(slash + 1) }
}

function encodeBlock(fields: Fields): Buffer {
  // From the pool: allocating a separate buffer costs more than filling it.
  const block = Buffer.allocUnsafe(BLOCK).fill(0)
  const { prefix, name } = splitName(fields.name) ?? { prefix: '', name: stub(fields.name) }
  const linkname = fields.linkname ?? ''
  block.write(name, 0, 100, 'latin1')
  writeOctal(block, fields.mode ?? 0, 100, 7)
  writeOctal(block, fields.uid ?? 0, 108, 7)
  writeOctal(block, fields.gid ?? 0, 116, 7)
  writeOctal(block, fields.size, 124, 11)
  writeOctal(block, fields.mtime ?? 0, 136, 11)
  block.write(fields.flag, 156, 1, 'latin1')
  if (linkname !== '') {
    block.write(NOT_ASCII.test(linkname) ? stub(linkname) : linkname, 157, 100, 'latin1')
  }
  block.write('ustar\x0000', 257, 8, 'latin1')
  writeOctal(block, fields.major ?? 0, 329, 7)
  writeOctal(block, fields.minor ?? 0, 337, 7)
  if (prefix !== '') block.write(prefix, 345, 155, 'latin1')
  block.fill(0x20, CHECKSUM_AT, CHECKSUM_AT + 8)
  writeOctal(block, sumOf(block), CHECKSUM_AT, 6)
  block[CHECKSUM_AT + 6] = 0
  return block
}

/** The ustar field for a name that is in a PAX record. */
function stub(name: string): string {
  return name.replaceAll(/[^\0-\x7f]/g, '_').slice(-100)
}

/** Zero when the number does not fit: then a PAX record has it. */
function writeOctal(block: Buffer, value: number, at: number, digits: number): void {
  const fits = value >= 0 && value <= (digits > 7 ? MAX_OCTAL_11 : MAX_OCTAL_7)
  // In two halves of whole digits: 32-bit arithmetic is ten times as fast.
  let low = fits ? value % HALF : 0
  let high = fits ? Math.floor(value / HALF) : 0
  for (let i = at + digits - 1; i >= at; i--) {
    block[i] = 0x30 + (low & 7)
    low = (low >>> 3) | ((high & 7) << 21)
    high >>>= 3
  }
}

/** Spec: the checksum field itself counts as eight spaces. */
function sumOf(block: Buffer): number {
  let sum = 0
  for (let i = 0; i < BLOCK; i++) sum += block[i] ?? 0
  return sum
}
