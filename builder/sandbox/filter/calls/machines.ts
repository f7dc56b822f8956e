import { ARM_CALLS } from './arm.ts'
import { ARM64_CALLS } from './arm64.ts'
import { type CallTable, readCalls } from './call-table.ts'
import { I386_CALLS } from './i386.ts'
import { TIME64_CALLS, UNIFIED_CALLS } from './unified.ts'
import { NOT_ON_X32, X32_BIT, X32_CALLS } from './x32.ts'
import { X86_64_CALLS } from './x86-64.ts'

/** Programs of one kind: where their numbers of system calls begin, and which they are. */
export interface ProgramKind {
  readonly base: number
  readonly calls: CallTable
  /** From it on, numbers are newer than the tables. */
  readonly unknownFrom: number
}

/** A machine as the kernel names it in `seccomp_data`, and the kinds of programs it runs, by base. */
export interface Machine {
  readonly token: number
  readonly programs: readonly ProgramKind[]
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
      return [
        { token: X86_64, programs: [programs(X86_64_CALLS), x32Programs()] },
        { token: I386, programs: [programs(I386_CALLS, TIME64_CALLS)] },
      ]
    case 'arm64':
      return [
        { token: AARCH64, programs: [programs(ARM64_CALLS)] },
        { token: ARM, programs: [programs(ARM_CALLS, TIME64_CALLS)] },
      ]
    default:
      return undefined
  }
}

function programs(...texts: readonly string[]): ProgramKind {
  const unknownFrom = 1 + Math.max(...readCalls(UNIFIED_CALLS).values())
  return { base: 0, calls: readCalls(...texts, UNIFIED_CALLS), unknownFrom }
}

function x32Programs(): ProgramKind {
  const { calls, unknownFrom } = programs(X86_64_CALLS, X32_CALLS)
  const own = [...calls].filter(([name]) => !NOT_ON_X32.includes(name))
  return {
    base: X32_BIT,
    calls: new Map(own.map(([name, number]) => [name, number + X32_BIT])),
    unknownFrom: unknownFrom + X32_BIT,
  }
}
