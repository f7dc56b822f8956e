import { Buffer, isUtf8 } from 'node:buffer'
import { decodeBlock } from '../../tar/header-decoder.ts'
import type { PaxRecords } from '../../tar/pax.ts'
import type { TarEntry } from '../../tar/tar-entry.ts'

/** An entry as tables of contents have it. Spec: containers/storage, pkg/chunked */
export interface DescribedEntry {
  readonly type: string
  readonly name: string
  readonly linkName?: string
  readonly mode: number
  readonly size: number
  readonly uid: number
  readonly gid: number
  readonly modtime: string
  readonly accesstime?: string
  readonly changetime?: string
  readonly devMajor: number
  readonly devMinor: number
  readonly xattrs?: Readonly<Record<string, string>>
}

const TYPES: Readonly<Record<TarEntry['type'], string>> = {
  file: 'reg',
  hardlink: 'hardlink',
  symlink: 'symlink',
  character: 'char',
  block: 'block',
  directory: 'dir',
  fifo: 'fifo',
}

/** Neither sparse files nor contiguous ones: readers take no other flags. */
const FLAGS = '\x000123456'
/** GNU's incremental backups have a time of access there, which other readers find. */
const GNU_MARK = 'ustar  \0'
const GNU_ATIME_AT = 345

/**
 * What a table of contents says of an entry: all that Go's archive/tar reads of its headers, since readers
 * compare both.
 * @param block the last block of its headers
 * @returns `undefined` for what a table cannot say
 */
export function describeEntry(
  entry: TarEntry,
  pax: PaxRecords,
  block: Buffer,
): DescribedEntry | undefined {
  const { mode, mtime, flag } = decodeBlock(block)
  const [name, linkName] = [textOf(entry.name), textOf(entry.linkname)]
  const times = ['mtime', 'atime', 'ctime'].map((key) => timeText(pax.get(key) || undefined))
  const modtime = pax.get('mtime') ? times[0] : timeText(String(mtime))
  const hasGnuTimes =
    block.toString('latin1', 257, 265) === GNU_MARK && (block[GNU_ATIME_AT] ?? 0) !== 0
  if (!FLAGS.includes(flag) || hasGnuTimes) return undefined
  if (name === undefined || linkName === undefined || modtime === undefined) return undefined
  if (times.includes(INVALID) || modtime === INVALID) return undefined
  const { size, uid, gid, major, minor, xattrs } = entry
  const described = { type: TYPES[entry.type], name, mode, size, uid, gid, modtime }
  return {
    ...described,
    ...(linkName === '' ? {} : { linkName }),
    ...(times[1] === undefined ? {} : { accesstime: times[1] }),
    ...(times[2] === undefined ? {} : { changetime: times[2] }),
    ...{ devMajor: major, devMinor: minor },
    ...(xattrs.size === 0 ? {} : { xattrs: base64Of(xattrs) }),
  }
}

/** Names are bytes; JSON has only those that are text. */
function textOf(name: string): string | undefined {
  const bytes = Buffer.from(name, 'latin1')
  return isUtf8(bytes) ? bytes.toString() : undefined
}

function base64Of(xattrs: TarEntry['xattrs']): Readonly<Record<string, string>> {
  return Object.fromEntries([...xattrs].map(([key, value]) => [key, value.toString('base64')]))
}

const INVALID = ''
const NANOSECONDS = 1_000_000_000

/**
 * RFC 3339, to the nanosecond, of seconds since 1970.
 * @returns `INVALID` for a year that has not four digits; `undefined` without a time
 */
function timeText(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const [, sign, whole = '', fraction = ''] = /^(-?)(\d+)(?:\.(\d*))?$/.exec(text) ?? []
  const isBefore = sign === '-'
  let seconds = isBefore ? -Number(whole) : Number(whole)
  let nanoseconds = Number(fraction.slice(0, 9).padEnd(9, '0'))
  if (isBefore && nanoseconds > 0) {
    seconds -= 1
    nanoseconds = NANOSECONDS - nanoseconds
  }
  const date = new Date(seconds * 1000)
  if (!/^\d{4}-/.test(Number.isNaN(date.getTime()) ? '' : date.toISOString())) return INVALID
  const rest = String(nanoseconds).padStart(9, '0').replace(/0+$/, '')
  return `${date.toISOString().slice(0, 19)}${rest === '' ? '' : `.${rest}`}Z`
}
