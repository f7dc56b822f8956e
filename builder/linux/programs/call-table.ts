import { Buffer } from 'node:buffer'
import { cString, numberOfCall, type SyscallName } from '../system/syscalls.ts'
import { DATA_ADDRESS } from './elf-image.ts'
import type { LoopAddresses } from './machine-code.ts'

/**
 * An argument of a call. Text (which gets a NUL at its end) and bytes are passed by address, and so is
 * a list: 64-bit words, one for each element. The same bytes have one address: what a call writes there
 * is what a later one reads.
 */
export type CallArgument =
  | number
  | bigint
  | string
  | Uint8Array
  | typeof RECORD
  | typeof CHILD
  | typeof CHILD_ADDRESS
  | ArgumentAddress
  | readonly CallArgument[]

/** As an argument: where an argument of another call is, so that a call can write what another one is made with. */
export interface ArgumentAddress {
  /** Its index in the program. */
  readonly ofCall: number
  readonly argument: number
}

/** As an argument: the address of the call's own record, `RECORD_SIZE` bytes. */
export const RECORD: unique symbol = Symbol('record')

/** As an argument of a call that the old process makes after a fork: the pid of the new one. */
export const CHILD: unique symbol = Symbol('child')

/** As an argument of a call that forks: where the kernel stores the pid that `CHILD` stands for. */
export const CHILD_ADDRESS: unique symbol = Symbol('child address')

/** One system call of a program. */
export interface ProgramCall {
  readonly call: SyscallName
  readonly args: readonly CallArgument[]
  /** Goes on after an error. */
  readonly optional?: boolean
  /** The calls, by their index in the program, with which it goes on after such results. Default: the next one. */
  readonly goTo?: { readonly error?: number; readonly zero?: number; readonly positive?: number }
  /** The program ends when the call returns 0, as a read does at the end of a pipe. */
  readonly endsAtZero?: boolean
  /** A call that makes a process: the new one goes on, the old one reports its pid, does this and ends. */
  readonly forks?: readonly ProgramCall[]
}

/** What a program needs besides its calls. */
export interface ProgramOptions {
  /** Descriptor of a pipe, as the program sees it: gets the pids of new processes, and what failed. */
  readonly report: number
}

/** Bytes of a record: the call's number and arguments, where to go next, its result and its index. */
export const RECORD_SIZE = 96

/** Where the addresses of what follows are in a record: behind six arguments. */
const FOLLOWERS_OFFSET = 56

/** Where the result of a call is in its record. */
export const RESULT_OFFSET = 80

/** Where the index of a call is in its record. */
export const INDEX_OFFSET = 88

/**
 * How a program ends after a call that must succeed has failed.
 * @internal
 */
export const PROGRAM_FAILED = 127

/** All calls in the order of their indices: those of the program, then those after each fork. */
export function indexedCalls(calls: readonly ProgramCall[]): readonly ProgramCall[] {
  return [...calls, ...calls.flatMap(({ forks = [] }) => forks)]
}

/** Entries of the table, in this order, before those of the caller. */
const FAILED = 0
const EXIT = 1
const FIXED_ENTRIES = 2

/** Where the loop starts, and where it leaves the address of a failed entry: as what entry 0 writes. */
export const LOOP: LoopAddresses = {
  first: entryAddress(FIXED_ENTRIES),
  failed: argumentAddress(FAILED, 1),
}

/** The table of calls and what their arguments point to, as they lie at `DATA_ADDRESS`. */
export class CallTable {
  readonly #parts: Buffer[] = []
  /** Addresses of bytes that are in the data already. */
  readonly #addresses = new Map<Uint8Array, number>()
  readonly #table: Buffer
  readonly #report: number
  #length = 0
  #nextIndex: number
  #nextPosition: number

  /** @param options where the program reports to */
  constructor(calls: readonly ProgramCall[], { report }: ProgramOptions) {
    const forks = calls.flatMap((entry) => (entry.forks === undefined ? [] : [entry.forks]))
    // After a fork the old process writes its record first, and ends last.
    const others = forks.reduce((sum, list) => sum + list.length + 2, 0)
    this.#table = Buffer.alloc((FIXED_ENTRIES + calls.length + others) * RECORD_SIZE)
    this.#append(this.#table)
    this.#report = report
    this.#nextIndex = calls.length
    this.#nextPosition = FIXED_ENTRIES + calls.length
    const failed = { args: [report, 0, RECORD_SIZE], next: entryAddress(EXIT) }
    this.#write(FAILED, { call: 'write', ...failed })
    this.#writeExit(EXIT, PROGRAM_FAILED)
    calls.forEach((entry, index) => {
      this.#writeCall(FIXED_ENTRIES + index, index, entry)
    })
  }

  /** The whole of it, a multiple of 8 bytes. */
  bytes(): Buffer {
    return Buffer.concat(this.#parts, this.#length)
  }

  #writeCall(position: number, index: number, entry: ProgramCall): void {
    const { call, args, optional, endsAtZero, forks, goTo = {} } = entry
    const record = entryAddress(position)
    const next = entryAddress(position + 1)
    const parent = forks === undefined ? undefined : this.#writeParent(record, forks)
    const values = args.map((argument) => this.#valueOf(argument, { record, ...parent }))
    const onError = addressOf(goTo.error) ?? (optional === true ? next : entryAddress(FAILED))
    const onPositive = parent?.entry ?? addressOf(goTo.positive) ?? next
    const onZero = endsAtZero === true ? entryAddress(EXIT) : (addressOf(goTo.zero) ?? next)
    this.#write(position, { call, args: values, next: onZero, onError, onPositive, index })
  }

  /** What the old process does after a fork. @returns where that begins, and where it stores the pid */
  #writeParent(record: number, calls: readonly ProgramCall[]): ParentAddresses {
    const first = this.#nextPosition
    this.#nextPosition += calls.length + 2
    const args = [this.#report, record, RECORD_SIZE]
    this.#write(first, { call: 'write', args, next: entryAddress(first + 1) })
    let child = 0
    calls.forEach((call, offset) => {
      const position = first + 1 + offset
      this.#writeCall(position, this.#nextIndex++, call)
      const argument = call.args.indexOf(CHILD)
      if (argument >= 0) child = argumentAddress(position, argument)
    })
    this.#writeExit(first + 1 + calls.length, 0)
    return { entry: entryAddress(first), child }
  }

  #writeExit(position: number, status: number): void {
    this.#write(position, { call: 'exit_group', args: [status], next: entryAddress(FAILED) })
  }

  /** Puts bytes into the data, at a multiple of 8. @returns their address */
  #append(bytes: Uint8Array): number {
    const address = DATA_ADDRESS + this.#length
    const padding = (8 - (bytes.length % 8)) % 8
    this.#addresses.set(bytes, address)
    this.#parts.push(bytes as Buffer, Buffer.alloc(padding))
    this.#length += bytes.length + padding
    return address
  }

  #valueOf(argument: CallArgument, addresses: ArgumentAddresses): number | bigint {
    if (argument === RECORD) return addresses.record
    if (argument === CHILD_ADDRESS) return addresses.child ?? 0
    // The kernel puts it there.
    if (argument === CHILD) return 0
    if (typeof argument === 'number' || typeof argument === 'bigint') return argument
    if (typeof argument === 'string') return this.#append(cString(argument))
    if (argument instanceof Uint8Array) {
      return this.#addresses.get(argument) ?? this.#append(argument)
    }
    if ('ofCall' in argument)
      return argumentAddress(FIXED_ENTRIES + argument.ofCall, argument.argument)
    const bytes = Buffer.alloc(argument.length * 8)
    argument.forEach((element, index) => {
      writeWord(bytes, index * 8, this.#valueOf(element, addresses))
    })
    return this.#append(bytes)
  }

  #write(position: number, entry: Entry): void {
    const { call, args, next, onError = next, onPositive = next, index = -1 } = entry
    const start = position * RECORD_SIZE
    const write = (offset: number, words: readonly (number | bigint)[]): void =>
      words.forEach((word, at) => {
        writeWord(this.#table, start + offset + at * 8, word)
      })
    write(0, [numberOfCall(call), ...args])
    write(FOLLOWERS_OFFSET, [onError, next, onPositive])
    write(INDEX_OFFSET, [index])
  }
}

interface ParentAddresses {
  readonly entry: number
  readonly child: number
}

interface ArgumentAddresses {
  readonly record: number
  readonly child?: number
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

function entryAddress(position: number): number {
  return DATA_ADDRESS + position * RECORD_SIZE
}

/** Of a call of the program. */
function addressOf(index: number | undefined): number | undefined {
  return index === undefined ? undefined : entryAddress(FIXED_ENTRIES + index)
}

function argumentAddress(position: number, argument: number): number {
  return entryAddress(position) + (1 + argument) * 8
}

/** 64 bits, the same for both signs, where zeros are. Numbers do without the much slower big integers. */
function writeWord(bytes: Buffer, offset: number, word: number | bigint): void {
  if (typeof word === 'bigint') {
    bytes.writeBigInt64LE(BigInt.asIntN(64, word), offset)
    return
  }
  bytes.writeInt32LE(word | 0, offset)
  if (word >= 0 && word < 2 ** 32) return
  bytes.writeInt32LE(Math.floor(word / 2 ** 32) | 0, offset + 4)
}
