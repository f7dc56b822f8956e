/** Classic BPF on `struct seccomp_data`: the number of a call, the machine, six arguments of 64 bits. */
import { Buffer } from 'node:buffer'

/** Code, where to go on if true, if false (relative to the next), and a number. */
export type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, operand: number]

export const LOAD = 0x20
export const AND = 0x54
export const JUMP = 0x05
export const JUMP_EQUAL = 0x15
export const RETURN = 0x06
export const JUMP_ABOVE = 0x25
export const JUMP_AT_LEAST = 0x35

/** Offsets for `LOAD`. */
export const NUMBER = 0
export const MACHINE = 4
/** The low word of the first argument; the high one follows, and the other arguments. */
export const FIRST_ARGUMENT = 16
export const ARGUMENT_SIZE = 8

/** How many instructions a conditional jump can leave out. An unconditional one reaches all. */
const REACH = 255

/** From the number `first` on, up to the next one, `code` decides; it ends with `RETURN`. */
export interface Split {
  readonly first: number
  readonly code: readonly Instruction[]
}

/**
 * Finds what decides about the loaded number by halving.
 * @param below decides about numbers below the first split
 * @param splits in the order of their numbers
 */
export function decisionTree(
  below: readonly Instruction[],
  splits: readonly Split[],
): readonly Instruction[] {
  const middle = splits.length >> 1
  const split = splits[middle]
  if (split === undefined) return below
  const lower = decisionTree(below, splits.slice(0, middle))
  const upper = decisionTree(split.code, splits.slice(middle + 1))
  return [...skipIfAtLeast(split.first, lower.length), ...lower, ...upper]
}

function skipIfAtLeast(operand: number, count: number): readonly Instruction[] {
  if (count <= REACH) return [[JUMP_AT_LEAST, count, 0, operand]]
  return [
    [JUMP_AT_LEAST, 0, 1, operand],
    [JUMP, 0, 0, count],
  ]
}

/** The bytes of a program as the kernel takes them: `struct sock_filter`, 8 bytes each. */
export function encode(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8)
  program.forEach(([code, ifTrue, ifFalse, operand], index) => {
    bytes.writeUInt16LE(code, index * 8)
    bytes.writeUInt8(ifTrue, index * 8 + 2)
    bytes.writeUInt8(ifFalse, index * 8 + 3)
    bytes.writeUInt32LE(operand, index * 8 + 4)
  })
  return bytes
}
