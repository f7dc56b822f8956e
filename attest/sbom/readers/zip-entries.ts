import { inflateRawSync } from 'node:zlib'

/** Something that holds bytes: a file, or an archive in an archive. */
export interface Extent {
  readonly size: number
  /** Fewer bytes where it ends before. */
  readonly read: (start: number, length: number) => Buffer
}

/** A file in an archive. */
export interface ZipEntry {
  readonly name: string
  /** Unpacks it. @throws {Error} for more than `limit` bytes, or what is damaged */
  readonly bytes: (limit: number) => Buffer
}

const END_SIZE = 22
const MAX_COMMENT = 0xffff
const MAX_DIRECTORY = 64 << 20
const MAX_PACKED = 256 << 20
const ENTRY_SIZE = 46
const LOCAL_SIZE = 30
const [END, ENTRY, LOCAL] = [0x06054b50, 0x02014b50, 0x04034b50]

/**
 * The files of an archive, by its directory. Something may stand before it, as in jars that are programs.
 * Spec: PKWARE APPNOTE 4.3; without ZIP64
 * @throws {Error} for what is damaged
 */
export function* zipEntries(archive: Extent): Generator<ZipEntry> {
  const { directory, shift } = directoryOf(archive)
  for (let at = 0; at + ENTRY_SIZE <= directory.length; ) {
    if (directory.readUInt32LE(at) !== ENTRY) throw new Error('its directory is damaged')
    const [nameLength = 0, extraLength = 0, commentLength = 0] = [28, 30, 32].map((field) =>
      directory.readUInt16LE(at + field),
    )
    const name = directory.toString('utf8', at + ENTRY_SIZE, at + ENTRY_SIZE + nameLength)
    const place = {
      method: directory.readUInt16LE(at + 10),
      packed: directory.readUInt32LE(at + 20),
      at: directory.readUInt32LE(at + 42) + shift,
    }
    yield { name, bytes: (limit) => unpacked(archive, place, limit) }
    at += ENTRY_SIZE + nameLength + extraLength + commentLength
  }
}

interface Directory {
  readonly directory: Buffer
  /** How far everything is behind where the directory says. */
  readonly shift: number
}

function directoryOf({ size, read }: Extent): Directory {
  const length = Math.min(size, END_SIZE + MAX_COMMENT)
  const tail = read(size - length, length)
  for (let at = tail.length - END_SIZE; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== END) continue
    const [bytes, claimed] = [tail.readUInt32LE(at + 12), tail.readUInt32LE(at + 16)]
    const start = size - length + at - bytes
    if (bytes > MAX_DIRECTORY || start < 0) throw new Error('its directory is damaged')
    return { directory: read(start, bytes), shift: start - claimed }
  }
  throw new Error('it is no archive')
}

interface Packed {
  readonly method: number
  readonly packed: number
  /** Of its local header. */
  readonly at: number
}

function unpacked({ read, size }: Extent, { method, packed, at }: Packed, limit: number): Buffer {
  const header = at < 0 ? Buffer.alloc(0) : read(at, LOCAL_SIZE)
  if (header.length < LOCAL_SIZE || header.readUInt32LE(0) !== LOCAL)
    throw new Error('it is damaged')
  if (packed > (method === 0 ? limit : MAX_PACKED)) throw new Error('a file in it is too long')
  const start = at + LOCAL_SIZE + header.readUInt16LE(26) + header.readUInt16LE(28)
  if (start + packed > size) throw new Error('it is damaged')
  const bytes = read(start, packed)
  if (method === 0) return bytes
  if (method !== 8) throw new Error(`a file in it is packed by method ${method}`)
  return inflateRawSync(bytes, { maxOutputLength: limit })
}
