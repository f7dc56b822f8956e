import { Buffer } from 'node:buffer'
import { thisMachine } from './machine-code.ts'

/** Where the program lies in its own memory. */
const BASE = 0x400000

/** Where the code is in the file, and from `BASE` on in memory. */
export const CODE_OFFSET = 0x100

/** Where the data is: behind the code on machines with pages of 64 KiB, too. The gap takes no memory. */
export const DATA_OFFSET = 0x10000

/** The address of the first byte of the data. */
export const DATA_ADDRESS: number = BASE + DATA_OFFSET

const PT_LOAD = 1
const PT_GNU_STACK = 0x6474e551
const EXECUTABLE = 2
const HEADER = 64
const PROGRAM_HEADER = 56

/** Flags of a segment. */
const READ = 4
const WRITE = 2
const EXECUTE = 1

/**
 * The header of a static program of two segments: this header with the code, and the data.
 * Spec: System V ABI, ELF header and program header, little-endian and 64 bits
 */
export function elfHeader(lengths: { readonly code: number; readonly data: number }): Buffer {
  const segments: readonly Segment[] = [
    { type: PT_LOAD, flags: READ | EXECUTE, offset: 0, length: CODE_OFFSET + lengths.code },
    { type: PT_LOAD, flags: READ | WRITE, offset: DATA_OFFSET, length: lengths.data },
    // Without it the kernel would make the stack executable.
    { type: PT_GNU_STACK, flags: READ | WRITE, offset: 0, length: 0 },
  ]
  const header = Buffer.alloc(HEADER + segments.length * PROGRAM_HEADER)
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
  header.writeUInt16LE(EXECUTABLE, 16)
  header.writeUInt16LE(thisMachine().elf, 18)
  header.writeUInt32LE(1, 20)
  header.writeBigUInt64LE(BigInt(BASE + CODE_OFFSET), 24)
  header.writeBigUInt64LE(BigInt(HEADER), 32)
  header.writeUInt16LE(HEADER, 52)
  header.writeUInt16LE(PROGRAM_HEADER, 54)
  header.writeUInt16LE(segments.length, 56)
  for (const [index, segment] of segments.entries()) {
    writeSegment(header, HEADER + index * PROGRAM_HEADER, segment)
  }
  return header
}

interface Segment {
  readonly type: number
  readonly flags: number
  readonly offset: number
  readonly length: number
}

function writeSegment(header: Buffer, at: number, segment: Segment): void {
  const { type, flags, offset, length } = segment
  header.writeUInt32LE(type, at)
  header.writeUInt32LE(flags, at + 4)
  header.writeBigUInt64LE(BigInt(offset), at + 8)
  header.writeBigUInt64LE(BigInt(BASE + offset), at + 16)
  header.writeBigUInt64LE(BigInt(BASE + offset), at + 24)
  header.writeBigUInt64LE(BigInt(length), at + 32)
  header.writeBigUInt64LE(BigInt(length), at + 40)
  header.writeBigUInt64LE(0x10000n, at + 48)
}
