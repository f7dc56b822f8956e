import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { openLibrary, type SharedLibrary } from '#builder/linux'
import type { OciSeccomp } from '../../../../builder/sandbox/runtime/oci-seccomp.ts'

const ALLOW = 0x7fff0000
const ERRNO = 0x00050000
const EPERM = 1
const ENOSYS = 38
const KILL_PROCESS = 0x80000000

/** Attributes and comparisons by libseccomp's numbers. */
const ACT_BADARCH = 2
const LT = 2
const EQ = 4
const GT = 6
const MASKED_EQ = 7

/** The machines of the library that stand for ours, which has x32 in that of 64-bit x86. */
export const LIBRARY_MACHINES = {
  x64: [0xc000003e, 0x4000003e, 0x40000003],
  arm64: [0xc00000b7, 0x40000028],
} as const

const PERSONALITIES = [0, 8, 0x20000, 0x20008, 0xffffffff]

/** What docker's profile says of first arguments: operator, value, and what a mask leaves. */
const CHECKED: Readonly<Record<string, readonly Comparison[]>> = {
  clone: [[MASKED_EQ, 0x7e020000, 0]],
  personality: PERSONALITIES.map((value) => [EQ, value, 0] as const),
  socket: [
    [LT, 38, 0],
    [EQ, 39, 0],
    [GT, 40, 0],
  ],
}

/** Operator, value, and what a mask leaves. */
type Comparison = readonly [operator: number, first: number, second: number]

/** What is said of a call. */
export interface LibraryRule {
  readonly name: string
  /** Absent: it is allowed. */
  readonly errno?: number
  /** Of its first argument. */
  readonly comparison?: Comparison | undefined
}

/** docker's profile: `allowed` calls, and those that docker checks. */
export function dockerRules(allowed: readonly string[]): readonly LibraryRule[] {
  return [
    ...allowed.map((name) => ({ name })),
    { name: 'clone3', errno: ENOSYS },
    ...Object.entries(CHECKED).flatMap(([name, comparisons]) =>
      comparisons.map((comparison) => ({ name, comparison })),
    ),
  ]
}

/** The rules of a config of a container. */
export function rulesOf({ syscalls }: OciSeccomp): readonly LibraryRule[] {
  return syscalls.flatMap(({ names, errnoRet, args }) => {
    const argument = args?.[0]
    const comparison: Comparison | undefined =
      argument === undefined ? undefined : [MASKED_EQ, argument.value, argument.valueTwo]
    const errno = errnoRet === undefined ? {} : { errno: errnoRet }
    return names.map((name) => ({ name, ...errno, comparison }))
  })
}

/** libseccomp: another compiler of rules to filters, with tables of its own. */
export class Libseccomp {
  readonly #library: SharedLibrary

  constructor() {
    const library = openLibrary('libseccomp.so.2')
    assert.ok(library !== undefined, 'these tests need the package libseccomp2')
    this.#library = library
  }

  /** The name of a call; `undefined`: the library has none for the number. */
  nameOf(machine: number, number: number): string | undefined {
    const resolve = this.#library.func(
      'const char *seccomp_syscall_resolve_num_arch(uint32_t arch, int num)',
    )
    const name: unknown = resolve(machine, number)
    return typeof name === 'string' ? name : undefined
  }

  /** Its program for some rules. What they do not allow, and what it has no name for, is refused. */
  program(architecture: keyof typeof LIBRARY_MACHINES, rules: readonly LibraryRule[]): Buffer {
    const filter = this.#library.func('void *seccomp_init(uint32_t def_action)')(ERRNO | EPERM)
    try {
      this.#call('int seccomp_attr_set(void *, int, uint32_t)', filter, ACT_BADARCH, KILL_PROCESS)
      this.#call('int seccomp_arch_remove(void *, uint32_t)', filter, 0)
      for (const machine of LIBRARY_MACHINES[architecture]) {
        this.#call('int seccomp_arch_add(void *, uint32_t)', filter, machine)
      }
      for (const { name, errno, comparison } of rules) {
        this.#addRule(filter, name, errno === undefined ? ALLOW : ERRNO | errno, comparison)
      }
      return this.#export(filter)
    } finally {
      this.#library.func('void seccomp_release(void *)')(filter)
    }
  }

  /** Its program for programs of this machine alone. @param rules name, action, checks of arguments */
  nativeProgram(defaultAction: number, rules: readonly NativeRule[]): Buffer {
    const filter = this.#library.func('void *seccomp_init(uint32_t def_action)')(defaultAction)
    const resolve = this.#library.func('int seccomp_syscall_resolve_name(const char *)')
    const add = 'int seccomp_rule_add_array(void *, uint32_t, int, unsigned int, void *)'
    try {
      this.#call('int seccomp_attr_set(void *, int, uint32_t)', filter, ACT_BADARCH, KILL_PROCESS)
      for (const [name, action, checks] of rules) {
        const number = Number(resolve(name))
        assert.ok(number >= 0, name)
        const all = Buffer.concat([Buffer.alloc(0), ...checks.map(nativeCheck)])
        this.#call(add, filter, action, number, checks.length, all)
      }
      return this.#export(filter)
    } finally {
      this.#library.func('void seccomp_release(void *)')(filter)
    }
  }

  #addRule(filter: unknown, name: string, action: number, comparison?: Comparison): void {
    const resolve = this.#library.func('int seccomp_syscall_resolve_name(const char *)')
    const number = Number(resolve(name))
    if (number === -1) return
    const add = 'int seccomp_rule_add_array(void *, uint32_t, int, unsigned int, void *)'
    const count = comparison === undefined ? 0 : 1
    this.#call(add, filter, action, number, count, comparisonOf(comparison))
  }

  #export(filter: unknown): Buffer {
    const directory = mkdtempSync('/tmp/tsbuild-libseccomp-test-')
    const file = openSync(`${directory}/program`, 'w+')
    try {
      this.#call('int seccomp_export_bpf(void *, int)', filter, file)
      return readFileSync(`${directory}/program`)
    } finally {
      closeSync(file)
      rmSync(directory, { recursive: true })
    }
  }

  #call(declaration: string, ...args: readonly unknown[]): void {
    assert.equal(this.#library.func(declaration)(...args), 0, declaration)
  }
}

/** Which argument, how (from 1, in the order of `SCMP_CMP_NE`), and with what. */
export type NativeCheck = readonly [index: number, operator: number, first: bigint, second: bigint]

export type NativeRule = readonly [name: string, action: number, checks: readonly NativeCheck[]]

function nativeCheck([index, operator, first, second]: NativeCheck): Buffer {
  const bytes = Buffer.alloc(24)
  bytes.writeUInt32LE(index, 0)
  bytes.writeUInt32LE(operator, 4)
  bytes.writeBigUInt64LE(first, 8)
  bytes.writeBigUInt64LE(second, 16)
  return bytes
}

/** `struct scmp_arg_cmp`: which argument, how, and with what. */
function comparisonOf(comparison: Comparison = [0, 0, 0]): Buffer {
  const bytes = Buffer.alloc(24)
  const [operator, first, second] = comparison
  bytes.writeUInt32LE(0, 0)
  bytes.writeUInt32LE(operator, 4)
  bytes.writeBigUInt64LE(BigInt(first), 8)
  bytes.writeBigUInt64LE(BigInt(second), 16)
  return bytes
}
