import type { Buffer } from 'node:buffer'

/** What a filter of system calls sees of one: `struct seccomp_data`, without the instruction pointer. */
export interface CallData {
  /** 32 bits, unsigned. */
  readonly number: number
  /** `AUDIT_ARCH_` of the machine. */
  readonly machine: number
  /** Up to six, of 64 bits. */
  readonly args: readonly bigint[]
}

/** What a filter decides. */
export interface Outcome {
  /** With its data, for instance an errno. */
  readonly action: number
  /** How many instructions it took. */
  readonly steps: number
  /** False: any arguments lead to the same. */
  readonly looksAtArguments: boolean
}

/** Where the arguments begin in `struct seccomp_data`. */
const ARGUMENTS = 16

/** Runs a filter as the kernel does: an interpreter of what seccomp(2) admits of classic BPF. */
export class BpfMachine {
  readonly #code: Uint32Array
  readonly #data = new DataView(new ArrayBuffer(64))

  /** @param program an array of `struct sock_filter` */
  constructor(program: Buffer) {
    this.#code = new Uint32Array(program.length / 2)
    for (let index = 0; index < program.length / 8; index++) {
      const fields = [
        program.readUInt16LE(index * 8),
        program.readUInt8(index * 8 + 2),
        program.readUInt8(index * 8 + 3),
        program.readUInt32LE(index * 8 + 4),
      ]
      this.#code.set(fields, index * 4)
    }
  }

  get length(): number {
    return this.#code.length / 4
  }

  /** The numbers that stand in instructions. */
  get operands(): readonly number[] {
    return [...this.#code].filter((_, index) => index % 4 === 3)
  }

  run(call: CallData): Outcome {
    this.#load(call)
    let accumulator = 0
    let looksAtArguments = false
    let at = 0
    for (let steps = 1; steps <= this.length; steps++) {
      const code = this.#code[at]
      const ifTrue = (this.#code[at + 1] ?? 0) * 4
      const ifFalse = (this.#code[at + 2] ?? 0) * 4
      const operand = this.#code[at + 3] ?? 0
      at += 4
      switch (code) {
        case 0x06: // return
          return { action: operand, steps, looksAtArguments }
        case 0x20: // load
          accumulator = this.#data.getUint32(operand, true)
          looksAtArguments ||= operand >= ARGUMENTS
          break
        case 0x54: // and
          accumulator = (accumulator & operand) >>> 0
          break
        case 0x05: // jump
          at += operand * 4
          break
        case 0x15: // jump if equal
          at += accumulator === operand ? ifTrue : ifFalse
          break
        case 0x25: // jump if greater
          at += accumulator > operand ? ifTrue : ifFalse
          break
        case 0x35: // jump if not less
          at += accumulator >= operand ? ifTrue : ifFalse
          break
        default:
          throw new Error(`no such instruction: ${code} at ${at / 4 - 1}`)
      }
    }
    throw new Error('the program does not end')
  }

  #load({ number, machine, args }: CallData): void {
    this.#data.setUint32(0, number, true)
    this.#data.setUint32(4, machine, true)
    for (let index = 0; index < 6; index++) {
      this.#data.setBigUint64(ARGUMENTS + index * 8, args[index] ?? 0n, true)
    }
  }
}
