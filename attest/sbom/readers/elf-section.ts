import type { Name } from '#core'
import type { RootFiles } from '../files/root-files.ts'

const MAGIC = Buffer.from('\x7fELF', 'latin1')
const HEADER = 64
const MOST_SECTIONS = 4096
/** Bytes; those of today have 40 or 64. */
const MAX_ENTRY = 256
const MAX_NAMES = 1 << 20

/** The numbers of a program's headers, by the layout that its class and byte order give. */
interface Layout {
  readonly is64: boolean
  readonly u16: (bytes: Buffer, at: number) => number
  readonly u32: (bytes: Buffer, at: number) => number
  readonly word: (bytes: Buffer, at: number) => number
}

/** Where in a file something is. */
interface Range {
  readonly start: number
  readonly length: number
}

/**
 * The bytes of a named section of a program, at most `limit`; `undefined` where the file is no program or
 * has no such section. Spec: System V ABI, chapter 4, object files
 */
export function elfSection(
  files: RootFiles,
  path: Name,
  { name, limit }: { readonly name: string; readonly limit: number },
): Buffer | undefined {
  return files.opened(path, (read) => {
    const header = read(0, HEADER)
    if (header.length < HEADER || !header.subarray(0, MAGIC.length).equals(MAGIC)) return undefined
    const layout = layoutOf(header)
    const sections = sectionTable(header, layout)
    if (sections === undefined) return undefined
    const table = read(sections.start, sections.count * sections.size)
    const rangeOf = (index: number): Range => sectionRange(table, index * sections.size, layout)
    const strings = rangeOf(sections.names)
    const names = read(strings.start, Math.min(strings.length, MAX_NAMES))
    const wanted = Buffer.from(`${name}\0`)
    for (let index = 0; (index + 1) * sections.size <= table.length; index++) {
      const at = layout.u32(table, index * sections.size)
      if (!names.subarray(at, at + wanted.length).equals(wanted)) continue
      const { start, length } = rangeOf(index)
      return read(start, Math.min(length, limit))
    }
    return undefined
  })
}

function layoutOf(header: Buffer): Layout {
  const is64 = header[4] === 2
  const isLittle = header[5] === 1
  const u16: Layout['u16'] = (bytes, at) =>
    isLittle ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at)
  const u32: Layout['u32'] = (bytes, at) =>
    isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)
  const u64: Layout['u32'] = (bytes, at) =>
    Number(isLittle ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at))
  return { is64, u16, u32, word: is64 ? u64 : u32 }
}

interface SectionTable {
  readonly start: number
  readonly size: number
  readonly count: number
  /** The section with the names of all. */
  readonly names: number
}

function sectionTable(header: Buffer, { is64, u16, word }: Layout): SectionTable | undefined {
  const start = word(header, is64 ? 0x28 : 0x20)
  const [size = 0, count = 0, names = 0] = [0, 2, 4].map((at) =>
    u16(header, (is64 ? 0x3a : 0x2e) + at),
  )
  const isSound =
    start > 0 &&
    size >= (is64 ? 64 : 40) &&
    size <= MAX_ENTRY &&
    names < count &&
    count <= MOST_SECTIONS
  return isSound && Number.isSafeInteger(start) ? { start, size, count, names } : undefined
}

function sectionRange(table: Buffer, at: number, { is64, word }: Layout): Range {
  const start = word(table, at + (is64 ? 0x18 : 0x10))
  const length = word(table, at + (is64 ? 0x20 : 0x14))
  const isSound = Number.isSafeInteger(start) && Number.isSafeInteger(length)
  return isSound ? { start, length } : { start: 0, length: 0 }
}
