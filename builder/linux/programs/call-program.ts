/**
 * A program that makes a list of system calls and is nothing else. What starts a step must run between
 * the builder and the step's own program: with none of the builder's memory, files or executable, and
 * yet able to do what no program of the host may be trusted or present to do. So it is put together
 * here, a few kilobytes for each start, from a fixed loop of machine code and a table of calls.
 */
import { Buffer } from 'node:buffer'
import { closeSync, readSync, writeSync } from 'node:fs'
import { makePipe } from '../system/process.ts'
import {
  cString,
  numberOfCall,
  type SyscallName,
  SystemError,
  syscall,
  trySyscall,
} from '../system/syscalls.ts'
import { spawnProcess, waitForExit } from './spawn.ts'

/**
 * An argument of a call. Text (which gets a NUL at its end) and bytes are passed by address, and so is
 * a list: 64-bit words, one for each element.
 */
export type CallArgument =
  | number
  | bigint
  | string
  | Uint8Array
  | typeof RECORD
  | readonly CallArgument[]

/** As an argument: the address of the call's own record, `RECORD_SIZE` bytes. */
export const RECORD: unique symbol = Symbol('record')

export interface ProgramCall {
  readonly call: SyscallName
  readonly args: readonly CallArgument[]
  /** Goes on after an error. */
  readonly optional?: boolean
  /** A call that makes a process: the new one goes on, the old one reports its pid and ends. */
  readonly forks?: boolean
}

export interface ProgramOptions {
  /** Descriptor of a pipe, as the program sees it: gets the pids of new processes, and what failed. */
  readonly report: number
}

/** What a program says of one of its calls. */
export interface CallReport {
  /** Which call it was, from 0. */
  readonly index: number
  /** What the kernel returned: -errno for an error. */
  readonly result: number
}

/** Bytes of a record: the call's number and arguments, where to go next, its result and its index. */
export const RECORD_SIZE = 96

const RESULT_OFFSET = 80
const INDEX_OFFSET = 88

/** How a program ends after a call that must succeed has failed. */
export const PROGRAM_FAILED = 127

/**
 * Makes the program, ready to be started as `/proc/self/fd/N`. It lies in sealed memory: it is no file
 * of the host, and who reaches it can change nothing in it.
 * @returns its descriptor, which closes on exec
 * @throws {SystemError}
 */
export function makeCallProgram(calls: readonly ProgramCall[], options: ProgramOptions): number {
  const image = new ProgramImage(calls, options)
  const descriptor = openMemory()
  try {
    writeWhole(descriptor, machineCode(), 0)
    writeWhole(descriptor, image.data(), DATA_OFFSET)
    writeWhole(descriptor, elfHeader(image.length), 0)
    syscall('fcntl', [descriptor, F_ADD_SEALS, ALL_SEALS], 'seal')
    return descriptor
  } catch (cause) {
    closeSync(descriptor)
    throw cause
  }
}

/** Reads what a program reports, up to the end of the pipe. Blocks the calling thread. */
export function* readReports(descriptor: number): Generator<CallReport, void> {
  const record = Buffer.alloc(RECORD_SIZE)
  for (;;) {
    let length = 0
    while (length < RECORD_SIZE) {
      const count = readSync(descriptor, record, length, RECORD_SIZE - length, null)
      if (count === 0) return
      length += count
    }
    const result = Number(record.readBigInt64LE(RESULT_OFFSET))
    yield { index: Number(record.readBigInt64LE(INDEX_OFFSET)), result }
  }
}

/**
 * Runs the calls in a process of their own, to its end.
 * @param inherit descriptors that it gets as 3 and up
 * @returns what it reported
 * @throws {SystemError} when it cannot be started
 */
export function runCalls(
  calls: readonly ProgramCall[],
  inherit: readonly number[] = [],
): readonly CallReport[] {
  const { readEnd, writeEnd } = makePipe()
  const program = makeCallProgram(calls, { report: 1 })
  try {
    const moved = inherit.map((descriptor, index) => [descriptor, 3 + index] as const)
    const pid = spawnProcess({
      program: `/proc/self/fd/${program}`,
      args: ['calls'],
      env: [],
      stdout: writeEnd,
      moved,
    })
    closeSync(writeEnd)
    const reports = [...readReports(readEnd)]
    waitForExit(pid)
    return reports
  } finally {
    closeSync(program)
    closeSync(readEnd)
  }
}

/** The failure in a report. @param calls of the program that it is from */
export function failureOf(report: CallReport, calls: readonly ProgramCall[]): SystemError {
  const name = calls[report.index]?.call ?? 'exit'
  return new SystemError(-report.result, name, undefined)
}

/** Where the program lies in its own memory, and its parts in the file. */
const BASE = 0x400000
const CODE_OFFSET = 0x1000
/** Far enough behind the code for machines with pages of 64 KiB; nothing between takes memory. */
const DATA_OFFSET = 0x10000
const DATA_ADDRESS = BASE + DATA_OFFSET

/** The table of calls and what their arguments point to. */
class ProgramImage {
  readonly #parts: Buffer[] = []
  #length = 0

  constructor(calls: readonly ProgramCall[], { report }: ProgramOptions) {
    // Two calls end the program after a failure, two after a fork; then those of the caller.
    const first = FIXED_ENTRIES
    const table = Buffer.alloc((first + calls.length) * RECORD_SIZE)
    this.#append(table)
    const failed = entryAddress(0)
    writeEntry(table, 0, { call: 'write', args: [report, 0, RECORD_SIZE], next: entryAddress(1) })
    writeEntry(table, 1, { call: 'exit_group', args: [PROGRAM_FAILED], next: failed })
    calls.forEach((entry, index) => {
      const position = first + index
      const record = entryAddress(position)
      const args = entry.args.map((argument) => this.#valueOf(argument, record))
      const next = entryAddress(position + 1)
      const { forks, optional, call } = entry
      const onError = optional === true ? next : failed
      // Its first entry writes the record that the error path names: the machine has noted it.
      const onPositive = forks === true ? entryAddress(2) : next
      writeEntry(table, position, { call, args, next, onError, onPositive, index })
      if (forks === true) {
        writeEntry(table, 2, {
          call: 'write',
          args: [report, record, RECORD_SIZE],
          next: entryAddress(3),
        })
        writeEntry(table, 3, { call: 'exit_group', args: [0], next: failed })
      }
    })
  }

  get length(): number {
    return this.#length
  }

  data(): Buffer {
    return Buffer.concat(this.#parts, this.#length)
  }

  /** Puts bytes into the data, at a multiple of 8. @returns their address */
  #append(bytes: Uint8Array): number {
    const address = DATA_ADDRESS + this.#length
    const padding = (8 - (bytes.length % 8)) % 8
    this.#parts.push(bytes as Buffer, Buffer.alloc(padding))
    this.#length += bytes.length + padding
    return address
  }

  #valueOf(argument: CallArgument, record: number): number | bigint {
    if (argument === RECORD) return record
    if (typeof argument === 'number' || typeof argument === 'bigint') return argument
    if (typeof argument === 'string') return this.#append(cString(argument))
    if (argument instanceof Uint8Array) return this.#append(argument)
    const bytes = Buffer.alloc(argument.length * 8)
    argument.forEach((element, index) => {
      writeWord(bytes, index * 8, this.#valueOf(element, record))
    })
    return this.#append(bytes)
  }
}

const FIXED_ENTRIES = 4

function entryAddress(position: number): number {
  return DATA_ADDRESS + position * RECORD_SIZE
}

interface Entry {
  readonly call: SyscallName
  readonly args: readonly (number | bigint)[]
  /** Addresses of the entries that follow. */
  readonly next: number
  readonly onError?: number
  readonly onPositive?: number
  readonly index?: number
}

function writeEntry(table: Buffer, position: number, entry: Entry): void {
  const { call, args, next, onError = next, onPositive = next, index = -1 } = entry
  const words = [numberOfCall(call), ...args, ...Array<number>(6 - args.length).fill(0)]
  words.push(onError, next, onPositive, 0, index)
  words.forEach((word, offset) => {
    writeWord(table, position * RECORD_SIZE + offset * 8, word)
  })
}

/** 64 bits, the same for both signs. Numbers do without the much slower big integers. */
function writeWord(bytes: Buffer, offset: number, word: number | bigint): void {
  if (typeof word === 'bigint') {
    bytes.writeBigInt64LE(BigInt.asIntN(64, word), offset)
    return
  }
  bytes.writeInt32LE(word | 0, offset)
  bytes.writeInt32LE(Math.floor(word / 2 ** 32) | 0, offset + 4)
}

/** A static program of two segments: the header with the code, and the data. */
function elfHeader(dataLength: number): Buffer {
  const header = Buffer.alloc(64 + 3 * 56)
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
  header.writeUInt16LE(2, 16)
  header.writeUInt16LE(MACHINES[machine()].elf, 18)
  header.writeUInt32LE(1, 20)
  header.writeBigUInt64LE(BigInt(BASE + CODE_OFFSET), 24)
  header.writeBigUInt64LE(64n, 32)
  header.writeUInt16LE(64, 52)
  header.writeUInt16LE(56, 54)
  header.writeUInt16LE(3, 56)
  const code = machineCode().length
  writeSegment(header, 64, { type: PT_LOAD, flags: 5, offset: 0, length: code })
  writeSegment(header, 120, { type: PT_LOAD, flags: 6, offset: DATA_OFFSET, length: dataLength })
  // Without it the kernel would make the stack executable.
  writeSegment(header, 176, { type: PT_GNU_STACK, flags: 6, offset: 0, length: 0 })
  return header
}

const PT_LOAD = 1
const PT_GNU_STACK = 0x6474e551

interface Segment {
  readonly type: number
  /** 4 read, 2 write, 1 execute. */
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

/**
 * The loop: load the number and six arguments of the entry at hand, call the kernel, store the result in
 * the entry, and go on at the entry for errors (after noting in the first entry which one failed), for
 * zero, or for other results. `at` holds the address of the first caller's entry, `noted` that of the
 * argument of the first entry.
 */
const MACHINES = {
  x64: {
    elf: 62,
    code: (at: number, noted: number) =>
      Buffer.from([
        ...[0xbb, ...littleEndian(at)], //            mov ebx, at
        ...[0x48, 0x8b, 0x03], //               loop: mov rax, [rbx]
        ...[0x48, 0x8b, 0x7b, 0x08], //               mov rdi, [rbx+8]
        ...[0x48, 0x8b, 0x73, 0x10], //               mov rsi, [rbx+16]
        ...[0x48, 0x8b, 0x53, 0x18], //               mov rdx, [rbx+24]
        ...[0x4c, 0x8b, 0x53, 0x20], //               mov r10, [rbx+32]
        ...[0x4c, 0x8b, 0x43, 0x28], //               mov r8, [rbx+40]
        ...[0x4c, 0x8b, 0x4b, 0x30], //               mov r9, [rbx+48]
        ...[0x0f, 0x05], //                           syscall
        ...[0x48, 0x89, 0x43, 0x50], //               mov [rbx+80], rax
        ...[0x48, 0x3d, 0x01, 0xf0, 0xff, 0xff], //   cmp rax, -4095
        ...[0x73, 0x11], //                           jae error
        ...[0x48, 0x85, 0xc0], //                     test rax, rax
        ...[0x74, 0x06], //                           jz zero
        ...[0x48, 0x8b, 0x5b, 0x48], //               mov rbx, [rbx+72]
        ...[0xeb, 0xcc], //                           jmp loop
        ...[0x48, 0x8b, 0x5b, 0x40], //         zero: mov rbx, [rbx+64]
        ...[0xeb, 0xc6], //                           jmp loop
        ...[0x48, 0x89, 0x1c, 0x25, ...littleEndian(noted)], // error: mov [noted], rbx
        ...[0x48, 0x8b, 0x5b, 0x38], //               mov rbx, [rbx+56]
        ...[0xeb, 0xb8], //                           jmp loop
      ]),
  },
  arm64: {
    elf: 183,
    code: (at: number, noted: number) =>
      words([
        ...[moveWide(19, at), moveWideHigh(19, at)], // mov x19, at
        ...[moveWide(20, noted), moveWideHigh(20, noted)], // mov x20, noted
        0xa9400268, // loop: ldp x8, x0, [x19]
        0xa9410a61, //       ldp x1, x2, [x19, #16]
        0xa9421263, //       ldp x3, x4, [x19, #32]
        0xf9401a65, //       ldr x5, [x19, #48]
        0xd4000001, //       svc #0
        0xf9002a60, //       str x0, [x19, #80]
        0xb13ffc1f, //       cmn x0, #4095
        0x540000c2, //       b.cs error
        0xb4000060, //       cbz x0, zero
        0xf9402673, //       ldr x19, [x19, #72]
        0x17fffff6, //       b loop
        0xf9402273, // zero: ldr x19, [x19, #64]
        0x17fffff4, //       b loop
        0xf9000293, // error: str x19, [x20]
        0xf9401e73, //       ldr x19, [x19, #56]
        0x17fffff1, //       b loop
      ]),
  },
} as const

function machineCode(): Buffer {
  const code = MACHINES[machine()].code(entryAddress(FIXED_ENTRIES), DATA_ADDRESS + 16)
  const image = Buffer.alloc(CODE_OFFSET + code.length)
  image.set(code, CODE_OFFSET)
  return image
}

/** `movz`: the low 16 bits of a number. */
function moveWide(register: number, value: number): number {
  return (0xd2800000 | ((value & 0xffff) << 5) | register) >>> 0
}

/** `movk`: the next 16 bits. */
function moveWideHigh(register: number, value: number): number {
  return (0xf2a00000 | (((value >>> 16) & 0xffff) << 5) | register) >>> 0
}

function littleEndian(value: number): readonly number[] {
  return [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, (value >>> 24) & 0xff]
}

function words(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  values.forEach((value, index) => {
    bytes.writeUInt32LE(value, index * 4)
  })
  return bytes
}

function machine(): keyof typeof MACHINES {
  if (process.arch === 'x64' || process.arch === 'arm64') return process.arch
  throw new SystemError(ENOSYS, 'exec', process.arch)
}

const MFD_CLOEXEC = 0x1
const MFD_ALLOW_SEALING = 0x2
const MFD_EXEC = 0x10
const F_ADD_SEALS = 1033
/** No more seals, no shrinking, growing or writing. */
const ALL_SEALS = 0xf
const EINVAL = 22
const ENOSYS = 38

/** Kernels before 6.3 make all such memory executable, and do not know the flag that asks for it. */
function openMemory(): number {
  const name = cString('tsbuild')
  const flags = MFD_CLOEXEC | MFD_ALLOW_SEALING
  const result = trySyscall('memfd_create', [name, flags | MFD_EXEC])
  if (result !== -EINVAL && result < 0) throw new SystemError(-result, 'memfd_create', undefined)
  return result >= 0 ? result : syscall('memfd_create', [name, flags])
}

function writeWhole(descriptor: number, bytes: Uint8Array, position: number): void {
  for (let offset = 0; offset < bytes.length; ) {
    offset += writeSync(descriptor, bytes, offset, bytes.length - offset, position + offset)
  }
}
