import { Buffer } from 'node:buffer'
import {
  addressOf,
  numberOfCall,
  type SyscallName,
  syscall,
} from '../../../builder/linux/system/syscalls.ts'

const SECCOMP_SET_MODE_FILTER = 1
const LOAD_WORD = 0x20
const JUMP_IF_EQUAL = 0x15
const RETURN = 0x06
const ALLOW = 0x7fff0000
const EPERM = 0x00050001

/** From now on system calls of the calling thread, and of what it starts, fail with EPERM. Takes root. */
export function refuseCalls(names: readonly SyscallName[]): void {
  // `struct sock_filter`: the operation, how much is skipped when it is false, and a value.
  const code = [
    [LOAD_WORD, 0, 0],
    ...names.flatMap((name) => [
      [JUMP_IF_EQUAL, 1, numberOfCall(name)],
      [RETURN, 0, EPERM],
    ]),
    [RETURN, 0, ALLOW],
  ]
  const filter = Buffer.alloc(code.length * 8)
  for (const [index, [operation = 0, skip = 0, value = 0]] of code.entries()) {
    filter.writeUInt16LE(operation, index * 8)
    filter.writeUInt8(skip, index * 8 + 3)
    filter.writeUInt32LE(value, index * 8 + 4)
  }
  const program = Buffer.alloc(16)
  program.writeUInt16LE(code.length)
  program.writeBigUInt64LE(addressOf(filter), 8)
  syscall('seccomp', [SECCOMP_SET_MODE_FILTER, 0, program], 'filter')
}
