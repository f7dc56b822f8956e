import { writeFileSync } from 'node:fs'
import { errnoOf } from '#core'

/** Processors of 32 bits whose programs a 64-bit kernel may run, where it was built for that. */
export type SmallArchitecture = '386' | 'arm'

interface Program {
  /** Of the ELF header. */
  readonly machine: number
  readonly flags: number
  /** Ends with exit code 0. */
  readonly code: readonly number[]
}

const PROGRAMS: Readonly<Record<SmallArchitecture, Program>> = {
  // mov $1, %eax; xor %ebx, %ebx; int $0x80
  '386': { machine: 3, flags: 0, code: [0xb8, 1, 0, 0, 0, 0x31, 0xdb, 0xcd, 0x80] },
  // mov r7, #1; mov r0, #0; svc 0; the fifth version of the calling convention
  arm: {
    machine: 40,
    flags: 0x05000000,
    code: [0x01, 0x70, 0xa0, 0xe3, 0x00, 0x00, 0xa0, 0xe3, 0x00, 0x00, 0x00, 0xef],
  },
}

const ELF_HEADER = 52
const PROGRAM_HEADER = 32
const ADDRESS = 0x10000
const EXECUTABLE = 2
const LOADED = 1
const READ_EXECUTE = 5

/**
 * Whether the kernel runs 32-bit programs of this kind: it is asked to run one that only ends.
 * True when the attempt fails in another way, so that the step itself says what is wrong.
 * @param path where the program is written; the caller removes it
 */
export function runsSmallPrograms(architecture: SmallArchitecture, path: string): boolean {
  writeFileSync(path, smallestProgram(PROGRAMS[architecture]), { mode: 0o700 })
  // Half of Node's network code comes with it, and few builds are for a foreign platform.
  const { spawnSync } = process.getBuiltinModule('node:child_process')
  const { error, status } = spawnSync(path, { stdio: 'ignore', timeout: 10_000 })
  // What the kernel refuses, the C library hands to a shell, which ends with another code; a filter
  // that ends the probe would end the step's programs, too.
  return error === undefined ? status === 0 : errnoOf(error) !== 'ENOEXEC'
}

/** Spec: System V ABI, ELF header and program header, little-endian and 32 bits */
function smallestProgram({ machine, flags, code }: Program): Buffer {
  const start = ELF_HEADER + PROGRAM_HEADER
  const size = start + code.length
  const file = Buffer.alloc(size)
  file.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1])
  file.writeUInt16LE(EXECUTABLE, 16)
  file.writeUInt16LE(machine, 18)
  file.writeUInt32LE(1, 20)
  file.writeUInt32LE(ADDRESS + start, 24)
  file.writeUInt32LE(ELF_HEADER, 28)
  file.writeUInt32LE(flags, 36)
  file.writeUInt16LE(ELF_HEADER, 40)
  file.writeUInt16LE(PROGRAM_HEADER, 42)
  file.writeUInt16LE(1, 44)
  const header = [LOADED, 0, ADDRESS, ADDRESS, size, size, READ_EXECUTE, 0x1000]
  for (const [index, field] of header.entries()) file.writeUInt32LE(field, ELF_HEADER + index * 4)
  file.set(code, start)
  return file
}
