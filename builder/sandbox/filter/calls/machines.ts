import { ARM_CALLS, ARM_PRIVATE_BASE, ARM_PRIVATE_CALLS, NOT_ON_ARM } from './arm.ts'
import { ARM64_CALLS } from './arm64.ts'
import { type CallNames, readCalls, renumberCalls, withoutCalls } from './call-names.ts'
import { I386_CALLS } from './i386.ts'
import { TIME64_CALLS, UNIFIED_CALLS } from './unified.ts'
import { NOT_ON_X32, X32_BASE, X32_CALLS } from './x32.ts'
import { X86_64_CALLS } from './x86-64.ts'

/** Numbers of calls from a base up to the next range's, and which they are. */
export interface CallRange {
  readonly base: number
  /** By number, without the base. */
  readonly calls: CallNames
  /** From this number on, without the base, what has no name here is new. */
  readonly unknownFrom: number
}

/** A machine as the kernel names it in `seccomp_data`, and the calls of its programs, by base. */
export interface Machine {
  readonly token: number
  readonly ranges: readonly CallRange[]
}

/** `AUDIT_ARCH_` of linux/audit.h: the ELF machine, with bits for 64 bits and little endian. */
const X86_64 = 0xc000003e
const I386 = 0x40000003
const AARCH64 = 0xc00000b7
const ARM = 0x40000028

/**
 * The machines whose programs run on `architecture`, its own first.
 * @param architecture as Node names it
 */
export function machinesOf(architecture: string): readonly Machine[] | undefined {
  switch (architecture) {
    case 'x64':
      return [x86(), i386()]
    case 'arm64':
      return [aarch64(), arm()]
    default:
      return undefined
  }
}

function x86(): Machine {
  const own = readCalls(X86_64_CALLS, UNIFIED_CALLS)
  const x32 = withoutCalls(renumberCalls(own, readCalls(X32_CALLS)), NOT_ON_X32)
  const unknownFrom = own.length
  return {
    token: X86_64,
    ranges: [
      { base: 0, calls: own, unknownFrom },
      { base: X32_BASE, calls: x32, unknownFrom },
    ],
  }
}

function i386(): Machine {
  const calls = readCalls(I386_CALLS, TIME64_CALLS, UNIFIED_CALLS)
  return { token: I386, ranges: [{ base: 0, calls, unknownFrom: calls.length }] }
}

function aarch64(): Machine {
  const calls = readCalls(ARM64_CALLS, UNIFIED_CALLS)
  return { token: AARCH64, ranges: [{ base: 0, calls, unknownFrom: calls.length }] }
}

function arm(): Machine {
  const calls = withoutCalls(readCalls(ARM_CALLS, TIME64_CALLS, UNIFIED_CALLS), NOT_ON_ARM)
  return {
    token: ARM,
    ranges: [
      { base: 0, calls, unknownFrom: calls.length },
      { base: ARM_PRIVATE_BASE, calls: readCalls(ARM_PRIVATE_CALLS), unknownFrom: 0 },
    ],
  }
}
