import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { capabilityRules } from '../../../../builder/sandbox/filter/capability-rules.ts'
import { compileProfile } from '../../../../builder/sandbox/filter/compile-profile.ts'
import { STEP_CAPABILITIES } from '../../../../builder/sandbox/filter/profile.ts'
import { BpfMachine, type CallData } from '../support/bpf-machine.ts'
import { Libseccomp, type NativeCheck, type NativeRule } from '../support/libseccomp.ts'

const MACHINE = process.arch === 'x64' ? 0xc000003e : 0xc00000b7
const ALLOW = 0x7fff0000
const LOG = 0x7ffc0000
const ERRNO = 0x00050000
const OPERATORS = ['NE', 'LT', 'LE', 'EQ', 'GE', 'GT', 'MASKED_EQ'].map(
  (name) => `SCMP_CMP_${name}`,
)

/** Calls of all machines, and a newer one that profiles name, so that none of them is new. */
const CALLS = ['read', 'write', 'close', 'fcntl', 'dup3']
const NUMBERS = process.arch === 'x64' ? [0, 1, 3, 72, 292] : [63, 64, 57, 25, 24]
const LAST = 'landlock_create_ruleset'

/** Values around those of words, and any. */
const value = fc.oneof(
  fc.constantFrom(0n, 1n, 2n, 0xfffffffen, 0xffffffffn, 0x100000000n, 0x100000001n, 2n ** 64n - 1n),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
)
const check = fc.tuple(fc.nat({ max: 5 }), fc.integer({ min: 1, max: 7 }), value, value)

type Drawn = readonly [call: number, checks: readonly NativeCheck[]]

const rule: fc.Arbitrary<Drawn> = fc.tuple(
  fc.nat({ max: CALLS.length - 1 }),
  fc.uniqueArray(check, { maxLength: 3, selector: ([index]) => index }),
)
const sixValues = fc.array(value, { minLength: 6, maxLength: 6 })

/** What a check means, by its words in seccomp_rule_add(3). */
function passes([index, operator, first, second]: NativeCheck, args: readonly bigint[]): boolean {
  const argument = args[index] ?? 0n
  const results = [
    argument !== first,
    argument < first,
    argument <= first,
    argument === first,
    argument >= first,
    argument > first,
    (argument & first) === (second & first),
  ]
  return results[operator - 1] ?? false
}

function profileOf(defaultAction: string, rules: readonly NativeRule[]): unknown {
  return {
    defaultAction,
    syscalls: [
      { names: [LAST], action: 'SCMP_ACT_LOG' },
      ...rules.map(([name, , checks]) => ({
        ...{ names: [name], action: 'SCMP_ACT_ALLOW' },
        args: checks.map(([index, operator, first, second]) => {
          return { index, op: OPERATORS[operator - 1], value: first, valueTwo: second }
        }),
      })),
    ],
  }
}

describe('filters of profiles', () => {
  /** Compares with what another one decides. */
  function compare(
    rules: fc.Arbitrary<readonly Drawn[]>,
    expected: (rules: readonly NativeRule[]) => (call: CallData) => number,
  ): void {
    let allowed = 0
    fc.assert(
      fc.property(rules, fc.array(sixValues, { minLength: 20, maxLength: 20 }), (drawn, calls) => {
        const native = drawn.map(([name, checks]): NativeRule => [CALLS[name] ?? '', ALLOW, checks])
        const ours = new BpfMachine(compileProfile(profileOf('SCMP_ACT_ERRNO', native), 0n))
        const theirs = expected(native)
        // What the rules compare with is among what they are asked about.
        const compared = native.flatMap(([, , checks]) =>
          checks.map(([index, , first, second]) => {
            return Array.from({ length: 6 }, (_, at) => (at === index ? first : second))
          }),
        )
        for (const args of [...calls, ...compared]) {
          for (const number of NUMBERS) {
            const call = { number, machine: MACHINE, args }
            const { action } = ours.run(call)
            assert.equal(action, theirs(call))
            if (action === ALLOW) allowed++
          }
        }
      }),
      { numRuns: 150 },
    )
    assert.ok(allowed > 100)
  }

  it("decide as libseccomp's do about arguments", () => {
    const library = new Libseccomp()
    // It is known to mix up several rules of one call that overlap.
    const rules = fc.uniqueArray(rule, { maxLength: 5, selector: ([name]) => name })
    compare(rules, (native) => {
      const program = library.nativeProgram(ERRNO | 1, [[LAST, LOG, []], ...native])
      const machine = new BpfMachine(program)
      return (call) => machine.run(call).action
    })
  })

  it('allow what one of several rules allows', () => {
    compare(fc.array(rule, { maxLength: 8 }), (native) => ({ number, args }) => {
      const name = CALLS[NUMBERS.indexOf(number)]
      const fits = native.some(
        ([of, , checks]) => of === name && checks.every((one) => passes(one, args)),
      )
      return fits ? ALLOW : ERRNO | 1
    })
  })

  it('make newer calls fail as unknown ones, where others fail', () => {
    const run = (document: unknown, number: number): number =>
      new BpfMachine(compileProfile(document, 0n)).run({ number, machine: MACHINE, args: [] })
        .action
    assert.equal(run(profileOf('SCMP_ACT_ERRNO', []), 0), ERRNO | 1)
    assert.equal(run(profileOf('SCMP_ACT_ERRNO', []), 600), ERRNO | 38)
    assert.equal(
      run({ ...(profileOf('SCMP_ACT_ERRNO', []) as object), defaultErrnoRet: 7 }, 0),
      ERRNO | 7,
    )
    assert.equal(run(profileOf('SCMP_ACT_ALLOW', []), 600), ALLOW)
    assert.equal(run(profileOf('SCMP_ACT_KILL', []), 600), 0)
  })

  it('have the rules of the capabilities, the kernel and the machine', () => {
    const own = process.arch === 'x64' ? 'amd64' : 'arm64'
    const decided = (rule: object, capabilities: bigint | undefined): number => {
      const syscalls = [{ names: ['close'], action: 'SCMP_ACT_ALLOW', ...rule }]
      const program = compileProfile({ defaultAction: 'SCMP_ACT_ERRNO', syscalls }, capabilities)
      return new BpfMachine(program).run({ number: NUMBERS[2] ?? 0, machine: MACHINE, args: [] })
        .action
    }
    const cases: readonly (readonly [object, bigint | undefined, boolean])[] = [
      [{ includes: { caps: ['CAP_SYS_ADMIN'] } }, 0n, false],
      [{ includes: { caps: ['CAP_SYS_ADMIN'] } }, 1n << 21n, true],
      [{ includes: { caps: ['CAP_SYS_ADMIN'] } }, undefined, true],
      [{ excludes: { caps: ['CAP_SYS_ADMIN'] } }, 0n, true],
      [{ excludes: { caps: ['CAP_SYS_ADMIN'] } }, undefined, false],
      [{ includes: { arches: ['s390', own] } }, 0n, true],
      [{ includes: { arches: ['s390'] } }, 0n, false],
      [{ excludes: { arches: [own] } }, 0n, false],
      [{ includes: { minKernel: '4.8' } }, 0n, true],
      [{ includes: { minKernel: '99.1' } }, 0n, false],
    ]
    for (const [rule, capabilities, isAllowed] of cases) {
      assert.equal(decided(rule, capabilities) === ALLOW, isAllowed, JSON.stringify(rule))
    }
  })

  it("allow a capability what podman's profile does, and ours", () => {
    const text = readFileSync('/usr/share/containers/seccomp.json', 'utf8')
    const names =
      process.arch === 'x64'
        ? { mount: 165, setns: 308, bpf: 321, reboot: 169, chroot: 161 }
        : { mount: 40, setns: 268, bpf: 280, reboot: 142, chroot: 51 }
    const bits = { SYS_ADMIN: 1n << 21n, SYS_BOOT: 1n << 22n, SYS_CHROOT: 1n << 18n }
    for (const [bit, allowed] of [
      [bits.SYS_ADMIN, ['mount', 'setns', 'bpf']],
      [bits.SYS_BOOT, ['reboot']],
      [bits.SYS_CHROOT, ['chroot']],
    ] as const) {
      const machine = new BpfMachine(compileProfile(JSON.parse(text), bit))
      const rules = capabilityRules(bit)
      for (const [name, number] of Object.entries(names)) {
        const { action } = machine.run({ number, machine: MACHINE, args: [] })
        const isAllowed = (allowed as readonly string[]).includes(name)
        assert.equal(rules.get(name) === 'allowed', isAllowed, name)
        // It lets all programs call chroot, mount and others, which then need the capability.
        if (isAllowed) assert.equal(action, ALLOW, name)
      }
    }
    assert.equal(capabilityRules(STEP_CAPABILITIES).get('mount'), undefined)
  })

  it('are refused when they are invalid, with the place', () => {
    const wrong: readonly (readonly [unknown, RegExp])[] = [
      [undefined, /profile: not an object/],
      [[], /profile: not an object/],
      [{}, /defaultAction/],
      [{ defaultAction: 'SCMP_ACT_NOTIFY' }, /no action/],
      [{ defaultAction: 'SCMP_ACT_ALLOW', syscalls: {} }, /syscalls: not a list/],
      [
        { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ action: 'SCMP_ACT_ERRNO' }] },
        /syscalls\[0\]/,
      ],
      ...[
        { op: 'SCMP_CMP_EQ', index: 6 },
        { op: 'SCMP_CMP_EQ', value: -1 },
        { op: 'SCMP_CMP_EQ', value: 1.5 },
        { op: 'NOTHING' },
      ].map(
        (check) =>
          [
            {
              defaultAction: 'SCMP_ACT_ALLOW',
              syscalls: [{ names: ['read'], action: 'SCMP_ACT_ERRNO', args: [check] }],
            },
            /syscalls\[0\]\.args\[0\]/,
          ] as const,
      ),
    ]
    for (const [document, message] of wrong) {
      assert.throws(() => compileProfile(document, 0n), { code: 'USAGE', message })
    }
  })
})
