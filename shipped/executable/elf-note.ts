/*
 * Adds a note to an executable: bytes that are mapped into memory when it starts, and that it finds by a name.
 * Spec: System V ABI, chapters 4 and 5 (ELF-64, little-endian)
 */

/** A segment: an entry of the program header table. */
interface Segment {
  readonly type: number
  readonly offset: number
  readonly address: number
  readonly fileSize: number
  readonly memorySize: number
  readonly bytes: Uint8Array
}

const PT_LOAD = 1
const PT_NOTE = 4
const PT_PHDR = 6
const READABLE = 4

/** Places in the header of the file, and in an entry. */
const HEADER = { table: 32, sections: 40, entries: 56, sectionEntries: 60, sectionNames: 62 }
const ENTRY = {
  flags: 4,
  offset: 8,
  address: 16,
  physical: 24,
  fileSize: 32,
  memorySize: 40,
  align: 48,
}
const ENTRY_BYTES = 56

const NOTE_ALIGN = 4

/** The largest page of a processor that Node is made for. */
const PAGE_BYTES = 0x10000

/**
 * An executable with one more note. It lies in a segment of its own behind all others, and so does the table of
 * segments, which has no room to grow where it was. What is not mapped is left out: symbols for debuggers, which
 * are a sixth of Node.
 */
export function addNote(elf: Buffer, name: string, bytes: Uint8Array): Buffer {
  const segments = readSegments(elf)
  const loaded = segments.filter(({ type }) => type === PT_LOAD)
  const base = (loaded[0]?.address ?? 0) - (loaded[0]?.offset ?? 0)
  const fileEnd = Math.max(...loaded.map(({ offset, fileSize }) => offset + fileSize))
  const memoryEnd = Math.max(...loaded.map(({ address, memorySize }) => address + memorySize))
  // As far behind the first segment in memory as in the file: older kernels take that for granted of the table.
  const start = roundUp(Math.max(fileEnd, memoryEnd - base), PAGE_BYTES)
  const tableEnd = start + (segments.length + 2) * ENTRY_BYTES
  const note = noteOf(name, bytes)
  const noteStart = roundUp(tableEnd, NOTE_ALIGN)
  const end = noteStart + note.length
  const entry = (type: number, [from, to]: readonly [number, number], align: number): Buffer =>
    entryOf(type, { offset: from, address: base + from, size: to - from, align })
  const table = segments.map(({ type, bytes }) =>
    type === PT_PHDR ? entry(PT_PHDR, [start, tableEnd], 8) : bytes,
  )
  // Those in memory stand in the order of their addresses.
  const behind = segments.findLastIndex(({ type }) => type === PT_LOAD) + 1
  table.splice(behind, 0, entry(PT_LOAD, [start, end], PAGE_BYTES))
  table.push(entry(PT_NOTE, [noteStart, end], NOTE_ALIGN))
  const result = Buffer.alloc(end)
  elf.copy(result, 0, 0, fileEnd)
  result.set(Buffer.concat(table), start)
  result.set(note, noteStart)
  result.writeBigUInt64LE(BigInt(start), HEADER.table)
  result.writeUInt16LE(table.length, HEADER.entries)
  result.writeBigUInt64LE(0n, HEADER.sections)
  result.writeUInt16LE(0, HEADER.sectionEntries)
  result.writeUInt16LE(0, HEADER.sectionNames)
  return result
}

function readSegments(elf: Buffer): readonly Segment[] {
  const start = Number(elf.readBigUInt64LE(HEADER.table))
  return Array.from({ length: elf.readUInt16LE(HEADER.entries) }, (_, index) => {
    const bytes = elf.subarray(start + index * ENTRY_BYTES, start + (index + 1) * ENTRY_BYTES)
    const numberAt = (at: number): number => Number(bytes.readBigUInt64LE(at))
    return {
      type: bytes.readUInt32LE(0),
      offset: numberAt(ENTRY.offset),
      address: numberAt(ENTRY.address),
      fileSize: numberAt(ENTRY.fileSize),
      memorySize: numberAt(ENTRY.memorySize),
      bytes,
    }
  })
}

/** The entry of a segment that can be read, and nothing else. */
function entryOf(
  type: number,
  place: Readonly<Record<'offset' | 'address' | 'size' | 'align', number>>,
): Buffer {
  const entry = Buffer.alloc(ENTRY_BYTES)
  entry.writeUInt32LE(type, 0)
  entry.writeUInt32LE(READABLE, ENTRY.flags)
  const write = (number: number, at: number): number => entry.writeBigUInt64LE(BigInt(number), at)
  write(place.offset, ENTRY.offset)
  write(place.address, ENTRY.address)
  write(place.address, ENTRY.physical)
  write(place.size, ENTRY.fileSize)
  write(place.size, ENTRY.memorySize)
  write(place.align, ENTRY.align)
  return entry
}

/** Lengths, a type that the name decides on, the name, and the bytes, each from a multiple of four on. */
function noteOf(name: string, bytes: Uint8Array): Buffer {
  const nameBytes = Buffer.from(`${name}\0`)
  const head = Buffer.alloc(12)
  head.writeUInt32LE(nameBytes.length, 0)
  head.writeUInt32LE(bytes.length, 4)
  return Buffer.concat([head, padded(nameBytes), padded(bytes)])
}

function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes], roundUp(bytes.length, NOTE_ALIGN))
}

function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit
}
