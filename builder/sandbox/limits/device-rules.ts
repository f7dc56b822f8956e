/**
 * Which devices a step may open, the same that container engines give: with them in force, device
 * files in its root are harmless. It may make nodes of all numbers, as packages and tools do.
 */
import { Buffer } from 'node:buffer'
import { failureOf, type ProgramCall, runCalls } from '#builder/linux'
import { ULIMIT_NAMES } from '#core'
import type { GroupSetting } from './group-setting.ts'

/** Character devices by major and minor; no minor: all of this major. */
const OPENABLE: readonly (readonly [major: number, minor?: number])[] = [
  // null, zero, full, random, urandom
  [1, 3],
  [1, 5],
  [1, 7],
  [1, 8],
  [1, 9],
  // tty, ptmx
  [5, 0],
  [5, 2],
  // Terminals of the step's own.
  [136],
]

/** As a setting of a control group. */
export const DEVICE_RULES: GroupSetting = {
  controller: 'devices',
  v1: [
    ['devices.deny', 'a'],
    ['devices.allow', 'c *:* m'],
    ['devices.allow', 'b *:* m'],
    ...OPENABLE.map(
      ([major, minor = '*']) => ['devices.allow', `c ${major}:${minor} rwm`] as const,
    ),
  ],
  v2: 'device-rules',
  optional: true,
}

const BPF_PROG_LOAD = 5
const BPF_PROG_ATTACH = 8
const BPF_PROG_TYPE_CGROUP_DEVICE = 15
const BPF_CGROUP_DEVICE = 6
const BPF_F_ALLOW_MULTI = 2

/**
 * Attaches the rules to a group of the second version. The kernel drops them with the group.
 * @param group descriptor of its directory
 * @throws {SystemError} EPERM without the right to
 */
export function attachDeviceRules(group: number): void {
  const program = deviceProgram()
  // A process with 0 to 2 and the group, which moves to 3: the loaded program is 4.
  const loaded = 4
  const load = [
    word(BPF_PROG_TYPE_CGROUP_DEVICE, program.length / 8),
    program,
    'Apache-2.0',
    ...Array<number>(4).fill(0),
  ]
  const attach = [word(3, loaded), word(BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI)]
  const calls: readonly ProgramCall[] = [
    // Kernels before 5.11 count programs as locked memory, of which there is little by default.
    { call: 'prlimit64', args: [0, ULIMIT_NAMES.indexOf('memlock'), [-1, -1], 0], optional: true },
    { call: 'bpf', args: [BPF_PROG_LOAD, load, load.length * 8] },
    { call: 'bpf', args: [BPF_PROG_ATTACH, attach, attach.length * 8] },
    { call: 'exit_group', args: [0] },
  ]
  const [failure] = runCalls(calls, [group])
  if (failure !== undefined) throw failureOf(failure, calls)
}

/** Two numbers of 32 bits, the first one low. */
function word(low: number, high: number): bigint {
  return BigInt(low) | (BigInt(high) << 32n)
}

const ACCESS = 2
const MAJOR = 4
const MINOR = 5
const CHARACTER = 2
const MAKE_NODE = 1

/**
 * eBPF, on `struct bpf_cgroup_dev_ctx`: the kind of device (low half) and of access (high half), major
 * and minor. Ends with 1 for yes.
 */
function deviceProgram(): Buffer {
  const rules = OPENABLE.flatMap(([major, minor]) =>
    minor === undefined
      ? [jumpUnequal(MAJOR, major, YES.length), ...YES]
      : [jumpUnequal(MAJOR, major, 1 + YES.length), jumpUnequal(MINOR, minor, YES.length), ...YES],
  )
  return Buffer.concat([
    loadWord(ACCESS, 0),
    loadWord(MAJOR, 4),
    loadWord(MINOR, 8),
    // r3 = access >> 16: only making a node, of any kind?
    instruction({ code: 0xbc, to: 3, from: ACCESS }),
    instruction({ code: 0x74, to: 3, value: 16 }),
    jumpUnequal(3, MAKE_NODE, YES.length),
    ...YES,
    instruction({ code: 0x54, to: ACCESS, value: 0xffff }),
    jumpUnequal(ACCESS, CHARACTER, rules.length),
    ...rules,
    instruction({ code: 0xb7, to: 0, value: 0 }),
    instruction({ code: 0x95 }),
  ])
}

interface Operation {
  readonly code: number
  readonly to?: number
  readonly from?: number
  readonly offset?: number
  readonly value?: number
}

function instruction({ code, to = 0, from = 0, offset = 0, value = 0 }: Operation): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt8(code, 0)
  bytes.writeUInt8(to | (from << 4), 1)
  bytes.writeInt16LE(offset, 2)
  bytes.writeInt32LE(value, 4)
  return bytes
}

const CONTEXT = 1

function loadWord(to: number, offset: number): Buffer {
  return instruction({ code: 0x61, to, from: CONTEXT, offset })
}

function jumpUnequal(register: number, value: number, skip: number): Buffer {
  return instruction({ code: 0x55, to: register, value, offset: skip })
}

/** r0 = 1; exit */
const YES: readonly Buffer[] = [
  instruction({ code: 0xb7, to: 0, value: 1 }),
  instruction({ code: 0x95 }),
]
