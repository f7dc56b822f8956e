import { Buffer } from 'node:buffer'
import { openLibrary, type SharedLibrary } from '#builder/linux'
import { TsbuildError } from '#core'
import {
  ALLOWED_CALLS,
  ALLOWED_NUMBERS,
  FIRST_UNKNOWN_NUMBER,
  LAST_NUMBER,
} from './seccomp-calls.ts'

const LIBRARY = 'libseccomp.so.2'

const ALLOW = 0x7fff0000
const KILL_PROCESS = 0x80000000
const FAIL = 0x00050000
const EPERM = 1
const ENOSYS = 38

const ACT_BADARCH = 2
const CTL_NNP = 3
const CTL_OPTIMIZE = 8
const BINARY_TREE = 2

const EQUAL = 4
const MASKED_EQUAL = 7

/** Flags of clone(2) that make namespaces. */
const NAMESPACE_FLAGS = 0x7e020000n
const WORD = 0xffffffffn
const PERSONALITIES = [0n, 8n, 0x20000n, 0x20008n, 0xffffffffn]

/**
 * Socket families 38 (AF_ALG, which let programs write to read-only files) and 40 (AF_VSOCK, which
 * reaches the machine that runs a virtual machine) are refused.
 */
const LAST_FAMILY = 45n
const REFUSED_FAMILIES: readonly bigint[] = [38n, 40n]

/** One condition on an argument of a system call. */
interface Condition {
  readonly argument: number
  readonly operator: number
  readonly a: bigint
  readonly b?: bigint
}

/** Says why there is no filter, or `undefined` when one can be made. */
export function explainMissingSeccomp(): TsbuildError | undefined {
  return openLibrary(LIBRARY) === undefined ? unavailable(`${LIBRARY} is not installed`) : undefined
}

/**
 * Filters the system calls of the calling thread and of every program it starts, for good. Programs
 * for other machines, such as 32-bit ones, are killed: their calls have other numbers.
 * @param setnsKey setns(2) is let through for who knows this third argument: the thread itself
 * @throws {TsbuildError} SANDBOX_UNAVAILABLE: no filter, no step
 */
export function installSeccompFilter(setnsKey: number): void {
  const library = openLibrary(LIBRARY)
  if (library === undefined) throw unavailable(`${LIBRARY} is not installed`)
  const filter = new Filter(library)
  filter.set(ACT_BADARCH, KILL_PROCESS)
  // Off: sudo and other set-uid programs work, as in other builders.
  filter.set(CTL_NNP, 0)
  filter.trySet(CTL_OPTIMIZE, BINARY_TREE)
  for (const name of ALLOWED_CALLS) filter.allow(name)
  for (const number of ALLOWED_NUMBERS) filter.add(ALLOW, number)
  filter.allow('clone', { argument: 0, operator: MASKED_EQUAL, a: NAMESPACE_FLAGS, b: 0n })
  // Its flags lie in memory, where no filter can see them; libraries fall back to clone.
  filter.add(FAIL | ENOSYS, filter.numberOf('clone3'))
  for (const a of PERSONALITIES) filter.allow('personality', lowWord(0, a))
  for (let family = 0n; family <= LAST_FAMILY; family++) {
    if (!REFUSED_FAMILIES.includes(family)) filter.allow('socket', lowWord(0, family))
  }
  for (let number = FIRST_UNKNOWN_NUMBER; number <= LAST_NUMBER; number++) {
    filter.add(FAIL | ENOSYS, number)
  }
  filter.allow('setns', { argument: 2, operator: EQUAL, a: BigInt(setnsKey) })
  filter.load()
}

/** The kernel reads these arguments as 32 bits: what stands above must not matter. */
function lowWord(argument: number, value: bigint): Condition {
  return { argument, operator: MASKED_EQUAL, a: WORD, b: value }
}

class Filter {
  readonly #library: SharedLibrary
  readonly #context: unknown
  readonly #add: (...args: readonly unknown[]) => unknown
  readonly #resolve: (...args: readonly unknown[]) => unknown
  readonly #set: (...args: readonly unknown[]) => unknown

  constructor(library: SharedLibrary) {
    this.#library = library
    this.#add = library.func(
      'int seccomp_rule_add_array(void *context, uint32_t action, int number, unsigned int count, void *conditions)',
    )
    this.#resolve = library.func('int seccomp_syscall_resolve_name(const char *name)')
    this.#set = library.func('int seccomp_attr_set(void *context, int attribute, uint32_t value)')
    this.#context = library.func('void *seccomp_init(uint32_t action)')(FAIL | EPERM)
  }

  set(attribute: number, value: number): void {
    this.#check(this.trySet(attribute, value), `set attribute ${attribute}`)
  }

  trySet(attribute: number, value: number): unknown {
    return this.#set(this.#context, attribute, value)
  }

  /** Negative when this machine has no such call. */
  numberOf(name: string): number {
    return Number(this.#resolve(name))
  }

  allow(name: string, condition?: Condition): void {
    const number = this.numberOf(name)
    if (number >= 0) this.add(ALLOW, number, condition)
  }

  add(action: number, number: number, condition?: Condition): void {
    const count = condition === undefined ? 0 : 1
    const encoded = condition === undefined ? null : encode(condition)
    this.#check(this.#add(this.#context, action, number, count, encoded), `add call ${number}`)
  }

  load(): void {
    this.#check(this.#library.func('int seccomp_load(void *context)')(this.#context), 'load')
    this.#library.func('void seccomp_release(void *context)')(this.#context)
  }

  #check(result: unknown, doing: string): void {
    if (result !== 0) throw unavailable(`libseccomp cannot ${doing}: ${String(result)}`)
  }
}

/** `struct scmp_arg_cmp` of libseccomp. */
function encode(condition: Condition): Buffer {
  const bytes = Buffer.alloc(24)
  bytes.writeUInt32LE(condition.argument, 0)
  bytes.writeUInt32LE(condition.operator, 4)
  bytes.writeBigUInt64LE(condition.a, 8)
  bytes.writeBigUInt64LE(condition.b ?? 0n, 16)
  return bytes
}

function unavailable(reason: string): TsbuildError {
  return new TsbuildError(`cannot filter the system calls of a step: ${reason}`, {
    code: 'SANDBOX_UNAVAILABLE',
    hint: 'install the package libseccomp2 (Debian, Ubuntu) or libseccomp (other distributions), on a kernel with seccomp',
  })
}
