import { Buffer } from 'node:buffer'
import { openLibrary, type SharedLibrary } from '#builder/linux'
import { TsbuildError } from '#core'
import {
  ALLOWED_CALLS,
  ALLOWED_NUMBERS,
  DIRECT_CALLS,
  FIRST_UNKNOWN_NUMBER,
} from './seccomp-calls.ts'

const LIBRARY = 'libseccomp.so.2'

const ALLOW = 0x7fff0000
const KILL_PROCESS = 0x80000000
const FAIL = 0x00050000
const EPERM = 1
const ENOSYS = 38

/** The machines whose programs a step may run, as the kernel and libseccomp number them. */
const X86_64 = 0xc000003e
const X32 = 0x4000003e
const X86 = 0x40000003
const AARCH64 = 0xc00000b7
const ARM = 0x40000028

/** x32 programs run as those of x86-64, with this bit in the numbers of their calls. */
const X32_BIT = 0x40000000

/** `machine` is what the kernel sees, `tables` are whose numbers such a program may use. */
const MACHINES: Readonly<Record<string, readonly Machine[]>> = {
  x64: [
    { machine: X86_64, tables: [X86_64, X32] },
    { machine: X86, tables: [X86] },
  ],
  arm64: [
    { machine: AARCH64, tables: [AARCH64] },
    { machine: ARM, tables: [ARM] },
  ],
}

interface Machine {
  readonly machine: number
  readonly tables: readonly number[]
}

/** Flags of clone(2) that make namespaces. */
const NAMESPACE_FLAGS = 0x7e020000
const PERSONALITIES = [0, 8, 0x20000, 0x20008, 0xffffffff]

/**
 * Socket families 38 (AF_ALG, which let programs write to read-only files) and 40 (AF_VSOCK, which
 * reaches the machine that runs a virtual machine) are refused.
 */
const REFUSED_FAMILIES = [38, 40]

/** Says why there is no filter, or `undefined` when one can be made. */
export function missingSeccompError(): TsbuildError | undefined {
  return openLibrary(LIBRARY) === undefined ? seccompError() : undefined
}

/**
 * The filter of a step's system calls, as seccomp(2) takes it: an array of `sock_filter`, 8 bytes each.
 * Programs of the machine's smaller sisters (32 bits) are filtered by their own numbers.
 * @throws {TsbuildError} SANDBOX_UNAVAILABLE: no filter, no step
 */
export function stepFilter(): Buffer {
  const library = openLibrary(LIBRARY)
  const machines = MACHINES[process.arch]
  if (library === undefined || machines === undefined) throw seccompError()
  const numberOf = resolver(library)
  // The last one is reached when no machine matches.
  let program: readonly Instruction[] = [[RETURN, 0, 0, KILL_PROCESS]]
  for (const { machine, tables } of machines) {
    const section: readonly Instruction[] = [
      [LOAD, 0, 0, NUMBER],
      ...decisionTree(rangesOf(tables, numberOf)),
    ]
    program = [[JUMP_EQUAL, 0, 1, machine], [JUMP, 0, 0, program.length], ...program, ...section]
  }
  return encode([[LOAD, 0, 0, MACHINE], ...program])
}

/** Code, where to go on if true, if false (relative to the next), and a number. */
type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, operand: number]

/** Classic BPF, on `struct seccomp_data`: the number, the machine, and six arguments of 64 bits. */
const LOAD = 0x20
const AND = 0x54
const JUMP = 0x05
const JUMP_EQUAL = 0x15
const JUMP_AT_LEAST = 0x35
const RETURN = 0x06
const NUMBER = 0
const MACHINE = 4
/** The low word of the first argument, which is all that the kernel reads of those that are checked. */
const FIRST_ARGUMENT = 16

/** Numbers from `first` up to the next range, and what is done when one is called. */
interface Range {
  readonly first: number
  readonly code: readonly Instruction[]
}

const allowed: readonly Instruction[] = [[RETURN, 0, 0, ALLOW]]
const refused: readonly Instruction[] = [[RETURN, 0, 0, FAIL | EPERM]]
const unknown: readonly Instruction[] = [[RETURN, 0, 0, FAIL | ENOSYS]]

/** Allowed for some values of the first argument only. */
const CHECKED: Readonly<Record<string, readonly Instruction[]>> = {
  clone: [
    [LOAD, 0, 0, FIRST_ARGUMENT],
    [AND, 0, 0, NAMESPACE_FLAGS],
    ...oneOf([0], { yes: ALLOW, no: FAIL | EPERM }),
  ],
  // Its flags lie in memory, where no filter can see them; libraries fall back to clone.
  clone3: unknown,
  personality: [
    [LOAD, 0, 0, FIRST_ARGUMENT],
    ...oneOf(PERSONALITIES, { yes: ALLOW, no: FAIL | EPERM }),
  ],
  socket: [
    [LOAD, 0, 0, FIRST_ARGUMENT],
    ...oneOf(REFUSED_FAMILIES, { yes: FAIL | EPERM, no: ALLOW }),
  ],
}

function oneOf(
  values: readonly number[],
  { yes, no }: { readonly yes: number; readonly no: number },
): readonly Instruction[] {
  const tests = values.map(
    (value, index): Instruction => [JUMP_EQUAL, values.length - index, 0, value],
  )
  return [...tests, [RETURN, 0, 0, no], [RETURN, 0, 0, yes]]
}

type NumberOf = (table: number, name: string) => number

function resolver(library: SharedLibrary): NumberOf {
  const resolve = library.func(
    'int seccomp_syscall_resolve_name_arch(uint32_t arch, const char *name)',
  )
  return (table, name) => {
    const number = Number(resolve(table, name))
    return number < 0 && table === X86 ? (DIRECT_CALLS[name] ?? number) : number
  }
}

/** All numbers there are, from 0 up; what is not known is refused, or new. */
function rangesOf(tables: readonly number[], numberOf: NumberOf): readonly Range[] {
  const rules = new Map<number, readonly Instruction[]>()
  const unknownFrom: number[] = []
  for (const table of tables) {
    const bit = table === X32 ? X32_BIT : 0
    const add = (number: number, code: readonly Instruction[]): void => {
      // A negative number: this machine has no such call.
      if (number >= 0) rules.set(number, code)
    }
    for (const name of ALLOWED_CALLS) add(numberOf(table, name), allowed)
    for (const [name, code] of Object.entries(CHECKED)) add(numberOf(table, name), code)
    for (const number of ALLOWED_NUMBERS) add(number | bit, allowed)
    unknownFrom.push(FIRST_UNKNOWN_NUMBER | bit)
  }
  const ranges: Range[] = []
  const append = (first: number, code: readonly Instruction[]): void => {
    if (ranges.at(-1)?.code !== code) ranges.push({ first, code })
  }
  append(0, refused)
  const numbers = [...new Set([...rules.keys(), ...unknownFrom])].sort((a, b) => a - b)
  for (const [index, number] of numbers.entries()) {
    append(number, rules.get(number) ?? unknown)
    const next = number + 1
    if (rules.has(number) && numbers[index + 1] !== next) append(next, rest(next, unknownFrom))
  }
  return ranges
}

/** What holds for a number that has no rule. */
function rest(number: number, unknownFrom: readonly number[]): readonly Instruction[] {
  const isUnknown = unknownFrom.some(
    (from) => number >= from && (from & X32_BIT) === (number & X32_BIT),
  )
  return isUnknown ? unknown : refused
}

/** Finds the range of the loaded number by halving. */
function decisionTree(ranges: readonly Range[]): readonly Instruction[] {
  const [only] = ranges
  if (ranges.length <= 1) return only?.code ?? refused
  const middle = ranges.length >> 1
  const upper = ranges.slice(middle)
  const below = decisionTree(ranges.slice(0, middle))
  // A conditional jump reaches 255 instructions, an unconditional one all.
  return [
    [JUMP_AT_LEAST, 0, 1, upper[0]?.first ?? 0],
    [JUMP, 0, 0, below.length],
    ...below,
    ...decisionTree(upper),
  ]
}

function encode(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8)
  program.forEach(([code, ifTrue, ifFalse, operand], index) => {
    bytes.writeUInt16LE(code, index * 8)
    bytes.writeUInt8(ifTrue, index * 8 + 2)
    bytes.writeUInt8(ifFalse, index * 8 + 3)
    bytes.writeUInt32LE(operand >>> 0, index * 8 + 4)
  })
  return bytes
}

function seccompError(): TsbuildError {
  return new TsbuildError(`cannot filter the system calls of a step: ${LIBRARY} is not installed`, {
    code: 'SANDBOX_UNAVAILABLE',
    hint: 'install the package libseccomp2 (Debian, Ubuntu) or libseccomp (other distributions), on a kernel with seccomp',
  })
}
