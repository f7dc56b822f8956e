import { Buffer } from 'node:buffer'

/** PAX records by key; values are latin1, that is: bytes. Spec: POSIX.1-2024 pax, 4.18 */
export type PaxRecords = ReadonlyMap<string, string>

/** The records as bytes, sorted by key, so that equal records are equal bytes. */
export function encodePax(records: PaxRecords): Buffer {
  const keys = [...records.keys()].sort()
  return Buffer.from(
    keys.map((key) => encodeRecord(key, records.get(key) ?? '')).join(''),
    'latin1',
  )
}

/** The length at the start of a record includes its own digits. */
function encodeRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`
  let length = rest.length + 1
  while (String(length).length + rest.length !== length) {
    length = String(length).length + rest.length
  }
  return `${length}${rest}`
}

/** Keys whose values are names, which must not contain NUL. */
const NAMES = new Set(['path', 'linkpath', 'uname', 'gname'])

/** Keys of which each pair of records is a part of a sparse file, in format 0.0. */
const SPARSE_KEYS: readonly string[] = ['GNU.sparse.offset', 'GNU.sparse.numbytes']

/**
 * Reads records as strictly as Go's archive/tar; of two records with one key the later one counts. The
 * records of format 0.0 about the parts of a sparse file become one `GNU.sparse.map`, as in format 0.1.
 * @throws {Error} with the reason
 */
export function decodePax(bytes: Buffer): PaxRecords {
  const text = bytes.toString('latin1')
  const records = new Map<string, string>()
  const sparse: string[] = []
  for (let at = 0; at < text.length; ) {
    const space = text.indexOf(' ', at)
    const digits = space < 0 ? '' : text.slice(at, space)
    const length = /^\d{1,9}$/.test(digits) ? Number(digits) : 0
    const end = at + length
    if (length < 5 || end > text.length) throw new Error('bad length of a PAX record')
    const equals = text.indexOf('=', space)
    if (text[end - 1] !== '\n' || equals < 0 || equals >= end) {
      throw new Error('malformed PAX record')
    }
    const key = text.slice(space + 1, equals)
    const value = text.slice(equals + 1, end - 1)
    if (key === '') throw new Error('PAX record without a key')
    if ((NAMES.has(key) ? value : key).includes('\0')) throw new Error(`NUL in PAX record ${key}`)
    if (SPARSE_KEYS.includes(key)) sparse.push(sparseNumber(key, value, sparse.length))
    else records.set(key, value)
    at = end
  }
  if (sparse.length > 0) records.set('GNU.sparse.map', sparse.join(','))
  return records
}

/** Offsets and lengths alternate. */
function sparseNumber(key: string, value: string, index: number): string {
  if (key === SPARSE_KEYS[index % 2] && !value.includes(',')) return value
  throw new Error(`PAX record ${key} in the wrong place`)
}
