/**
 * The loop that makes the calls of a program, for each machine: it loads the number and six arguments of
 * an entry, calls the kernel, stores the result in the entry, and goes on at the entry for errors (after
 * writing the failed entry's address to a place in the data), for zero, or for other results.
 */
import { Buffer } from 'node:buffer'
import { constants } from 'node:os'
import { SystemError } from '../system/syscalls.ts'

/** Addresses that the loop uses. */
export interface LoopAddresses {
  /** The entry that it starts with. */
  readonly first: number
  /** Where it writes the address of an entry whose call has failed. */
  readonly failed: number
}

interface Machine {
  /** `e_machine` of the ELF header. */
  readonly elf: number
  readonly loop: (addresses: LoopAddresses) => Buffer
}

const MACHINES: Readonly<Record<string, Machine>> = {
  x64: { elf: 62, loop: loopOfX64 },
  arm64: { elf: 183, loop: loopOfArm64 },
}

/** The machine that this process runs on. @throws {SystemError} ENOSYS on others than these two */
export function thisMachine(): Machine {
  const machine = MACHINES[process.arch]
  if (machine !== undefined) return machine
  throw new SystemError(constants.errno.ENOSYS, 'exec', process.arch)
}

function loopOfX64({ first, failed }: LoopAddresses): Buffer {
  return Buffer.from([
    ...[0xbb, ...littleEndian(first)], //         mov ebx, first
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
    ...[0x48, 0x89, 0x1c, 0x25, ...littleEndian(failed)], // error: mov [failed], rbx
    ...[0x48, 0x8b, 0x5b, 0x38], //               mov rbx, [rbx+56]
    ...[0xeb, 0xb8], //                           jmp loop
  ])
}

function loopOfArm64({ first, failed }: LoopAddresses): Buffer {
  const words = [
    ...[moveWide(19, first), moveWideHigh(19, first)], //   mov x19, first
    ...[moveWide(20, failed), moveWideHigh(20, failed)], // mov x20, failed
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
  ]
  const bytes = Buffer.alloc(words.length * 4)
  words.forEach((word, index) => {
    bytes.writeUInt32LE(word, index * 4)
  })
  return bytes
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
