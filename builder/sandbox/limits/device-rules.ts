/**
 * Which devices a step may open, the same that container engines give: with them in force, device
 * files in its root are harmless. It may make nodes of all numbers, as packages and tools do.
 */
import { Buffer } from 'node:buffer'
import { failureOf, type ProgramCall, runCalls } from '#builder/linux'
import { ULIMIT_NAMES } from '#core'
import { type DeviceRule, deviceRuleText } from './device-rule.ts'
import type { GroupSetting } from './group-setting.ts'

/** What every step may use: it may make nodes of all numbers, and open these character devices. */
const USUAL: readonly DeviceRule[] = [
  { type: 'c', access: 'm' },
  { type: 'b', access: 'm' },
  ...[
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
  ].map(([major, minor]): DeviceRule => ({ type: 'c', major, minor, access: 'rwm' })),
]

/** As a setting of a control group. @param more than steps may use */
export function deviceRulesSetting(more: readonly DeviceRule[] = []): GroupSetting {
  const rules = [...USUAL, ...more]
  return {
    controller: 'devices',
    v1: [
      ['devices.deny', 'a'],
      ...rules.map((rule) => ['devices.allow', deviceRuleText(rule)] as const),
    ],
    v2: { rules },
    optional: true,
  }
}

const BPF_PROG_LOAD = 5
const BPF_PROG_ATTACH = 8
const BPF_PROG_TYPE_CGROUP_DEVICE = 15
const BPF_CGROUP_DEVICE = 6
const BPF_F_ALLOW_MULTI = 2

/**
 * Attaches rules to a group of the second version. The kernel drops them with the group.
 * @param group descriptor of its directory
 * @throws {SystemError} EPERM without the right to
 */
export function attachDeviceRules(group: number, rules: readonly DeviceRule[]): void {
  const program = deviceProgram(rules)
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

/** Registers of the program. */
const TYPE = 2
const ACCESS = 3
const MAJOR = 4
const MINOR = 5
const REFUSED = 6

/** As `struct bpf_cgroup_dev_ctx` numbers them. */
const TYPES = { b: 1, c: 2 } as const
const ACCESSES: Readonly<Record<string, number>> = { m: 1, r: 2, w: 4 }
const ALL_ACCESS = 7

/**
 * eBPF, on `struct bpf_cgroup_dev_ctx`: the kind of device (low half) and of access (high half), major
 * and minor. Ends with 1 for yes.
 */
function deviceProgram(rules: readonly DeviceRule[]): Buffer {
  return Buffer.concat([
    loadWord(TYPE, 0),
    loadWord(MAJOR, 4),
    loadWord(MINOR, 8),
    // access = type >> 16; type &= 0xffff
    instruction({ code: 0xbc, to: ACCESS, from: TYPE }),
    instruction({ code: 0x74, to: ACCESS, value: 16 }),
    instruction({ code: 0x54, to: TYPE, value: 0xffff }),
    ...rules.filter((rule) => !allowsAll(rule)).flatMap(ruleCode),
    // The kernel takes no program with instructions that are never reached.
    ...(rules.some(allowsAll) ? YES : NO),
  ])
}

function allowsAll({ type, major, minor, access }: DeviceRule): boolean {
  return (
    type === 'a' && major === undefined && minor === undefined && accessMask(access) === ALL_ACCESS
  )
}

function accessMask(access: string): number {
  return [...access].reduce((mask, one) => mask | (ACCESSES[one] ?? 0), 0)
}

/** What does not fit goes on behind it. */
function ruleCode({ type, major, minor, access }: DeviceRule): readonly Buffer[] {
  const allowed = accessMask(access)
  let code = YES
  const onlyIf = (prepare: readonly Buffer[], register: number, value: number): void => {
    code = [...prepare, jumpUnequal(register, value, code.length), ...code]
  }
  if (allowed !== ALL_ACCESS) {
    // refused = access & ~allowed
    const refused = [
      instruction({ code: 0xbc, to: REFUSED, from: ACCESS }),
      instruction({ code: 0x54, to: REFUSED, value: ALL_ACCESS & ~allowed }),
    ]
    onlyIf(refused, REFUSED, 0)
  }
  if (minor !== undefined) onlyIf([], MINOR, minor)
  if (major !== undefined) onlyIf([], MAJOR, major)
  if (type !== 'a') onlyIf([], TYPE, TYPES[type])
  return code
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

/** r0 = 0; exit */
const NO: readonly Buffer[] = [
  instruction({ code: 0xb7, to: 0, value: 0 }),
  instruction({ code: 0x95 }),
]
