import { Buffer } from 'node:buffer'
import type { FileType, Name } from '#core'
import type { TarBlock } from './header-decoder.ts'
import type { PaxRecords } from './pax.ts'

const XATTR_KEY = 'SCHILY.xattr.'

/** What an entry of a tar is. */
type TarType = Exclude<FileType, 'socket'> | 'hardlink'

/** One entry of a tar as it is written there: only its form is checked. */
export interface TarEntry {
  readonly type: TarType
  readonly name: Name
  readonly linkname: Name
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Bytes of content, with the holes of a sparse file; 0 unless a regular file. */
  readonly size: number
  readonly mtimeMs: number
  readonly major: number
  readonly minor: number
  readonly xattrs: ReadonlyMap<string, Buffer>
}

/** The long names in GNU's form, which precede the header of an entry. */
export interface LongNames {
  readonly name: string | undefined
  readonly linkname: string | undefined
}

/** The type flag of GNU's oldest form of sparse files. */
export const SPARSE_FLAG = 'S'

const TYPES: ReadonlyMap<string, TarType> = new Map([
  ['\0', 'file'],
  ['0', 'file'],
  ['7', 'file'],
  [SPARSE_FLAG, 'file'],
  ['1', 'hardlink'],
  ['2', 'symlink'],
  ['3', 'character'],
  ['4', 'block'],
  ['5', 'directory'],
  ['6', 'fifo'],
])

/**
 * The entry of a header, with its PAX records and long names. Only files have content: the size of
 * other entries is ignored.
 * @throws {Error} for an unknown type or a malformed record
 */
export function toEntry(fields: TarBlock, pax: PaxRecords, long: LongNames): TarEntry {
  const name = long.name || pax.get('path') || fields.name
  const type = typeOf(fields.flag, name)
  const size = wholeNumber(pax, 'size') ?? fields.size
  return {
    type,
    name: name as Name,
    linkname: (long.linkname || pax.get('linkpath') || fields.linkname) as Name,
    mode: fields.mode & 0o7777,
    uid: wholeNumber(pax, 'uid') ?? fields.uid,
    gid: wholeNumber(pax, 'gid') ?? fields.gid,
    size: type === 'file' ? size : 0,
    mtimeMs: (timeOf(pax) ?? fields.mtime) * 1000,
    major: fields.major,
    minor: fields.minor,
    xattrs: xattrsOf(pax),
  }
}

/** Before POSIX, a slash at the end of the name marked a directory. */
function typeOf(flag: string, name: string): TarType {
  const type = TYPES.get(flag)
  if (type === undefined)
    throw new Error(`unknown type ${JSON.stringify(flag)} of ${JSON.stringify(name)}`)
  return flag === '\0' && name.endsWith('/') ? 'directory' : type
}

/** An empty value stands for that of the header. */
function wholeNumber(pax: PaxRecords, key: string): number | undefined {
  const text = pax.get(key)
  if (text === undefined || text === '') return undefined
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(value)) return value
  throw new Error(`bad PAX ${key} ${JSON.stringify(text.slice(0, 50))}`)
}

/** Seconds. */
function timeOf(pax: PaxRecords): number | undefined {
  const text = pax.get('mtime')
  if (text === undefined || text === '') return undefined
  if (/^-?\d{1,15}(\.\d*)?$/.test(text)) return Number(text)
  throw new Error(`bad PAX mtime ${JSON.stringify(text.slice(0, 50))}`)
}

const NO_XATTRS: ReadonlyMap<string, Buffer> = new Map()

function xattrsOf(pax: PaxRecords): ReadonlyMap<string, Buffer> {
  if (pax.size === 0) return NO_XATTRS
  const found = [...pax].filter(([key]) => key.startsWith(XATTR_KEY))
  return new Map(
    found.map(([key, value]) => [key.slice(XATTR_KEY.length), Buffer.from(value, 'latin1')]),
  )
}
