import assert from 'node:assert/strict'
import fc from 'fast-check'
import { callRules, machinesOf, stepFilter } from '#builder/sandbox'
import { BpfMachine, type CallData, type Outcome } from '../support/bpf-machine.ts'
import { dockerRules, LIBRARY_MACHINES, Libseccomp } from '../support/libseccomp.ts'

const ALLOW = 0x7fff0000
const EPERM = 0x00050001
const ENOSYS = 0x00050026
const KILL_PROCESS = 0x80000000

const X86_64 = 0xc000003e
/** libseccomp's name for a machine that the kernel does not tell from the one above. */
const X32 = 0x4000003e
const X32_BIT = 0x40000000

/** Calls that every step may make and that older libraries have no names for. */
const LATER_ALLOWED = [451, 452, 453, 454, 455, 456, 457, 458, 462, 463, 464, 465, 466]
const FIRST_UNKNOWN = 467
/** The same of one machine only. */
const URETPROBE = 335
/** Calls of one machine only that older libraries do not know either. */
const LATER_NAMES = ['uretprobe', 'uprobe']

const ARCHITECTURES = ['x64', 'arm64'] as const
type Architecture = (typeof ARCHITECTURES)[number]

/** Values that rules look at, and their neighbours, and the same with something in the high half. */
const VALUES: readonly bigint[] = [
  ...[0n, 1n, 7n, 8n, 9n, 0x11n, 37n, 38n, 39n, 40n, 41n, 45n, 0x1ffffn, 0x20000n, 0x20001n],
  ...[0x20007n, 0x20008n, 0x20009n, 0x7fffffffn, 0x80000000n, 0xfffffffen, 0xffffffffn],
  // Each flag of clone that makes a namespace, and what it has besides.
  ...Array.from({ length: 32 }, (_, bit) => 1n << BigInt(bit)),
  ...[0x7e020000n, 0x01200011n, 0x003d0f00n, 0x103d0f00n, 0x81fdffffn],
].flatMap((low) => [low, (1n << 32n) | low, (0xffffffffn << 32n) | low])

/** Ours and the library's for one architecture, and the machines that the kernel can name there. */
class Programs {
  readonly ours: BpfMachine
  readonly theirs: BpfMachine
  readonly machines: readonly number[]

  constructor(architecture: Architecture, library: Libseccomp) {
    const allowed = [...callRules()].filter(([, rule]) => rule === 'allowed').map(([name]) => name)
    assert.ok(allowed.length > 300)
    this.ours = new BpfMachine(stepFilter(architecture))
    this.theirs = new BpfMachine(library.program(architecture, dockerRules(allowed)))
    this.machines = LIBRARY_MACHINES[architecture].filter((machine) => machine !== X32)
  }

  /** Ours decides as the library's does for what the kernel reads of the first argument: an int. */
  compare(call: CallData): Outcome {
    const ours = this.ours.run(call)
    const [first = 0n, ...others] = call.args
    const theirs = this.theirs.run({ ...call, args: [first & 0xffffffffn, ...others] })
    const expected = withLaterCalls(call, theirs.action)
    if (ours.action !== expected) {
      const { number, machine } = call
      assert.fail(
        `${hex(ours.action)} instead of ${hex(expected)} for call ${hex(number)} of ${hex(machine)}, argument ${hex(first)}`,
      )
    }
    return { ...ours, looksAtArguments: ours.looksAtArguments || theirs.looksAtArguments }
  }
}

/** What holds for calls that the library does not know, by number. */
function withLaterCalls({ number, machine }: CallData, action: number): number {
  if (action !== EPERM) return action
  const own = machine === X86_64 && number >= X32_BIT ? number - X32_BIT : number
  if (LATER_ALLOWED.includes(own)) return ALLOW
  if (machine === X86_64 && own === URETPROBE) return ALLOW
  return own >= FIRST_UNKNOWN ? ENOSYS : EPERM
}

function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`
}

describe('filter of system calls, and libseccomp', () => {
  let library: Libseccomp
  before(() => {
    library = new Libseccomp()
  })

  for (const architecture of ARCHITECTURES) {
    describe(architecture, () => {
      let programs: Programs
      before(() => {
        programs = new Programs(architecture, library)
      })

      it('decide the same about every number and argument', () => {
        // Between the numbers that a program compares with, it decides the same.
        const compared = [...programs.ours.operands, ...programs.theirs.operands]
        const numbers = new Set(
          [...compared, FIRST_UNKNOWN, X32_BIT + FIRST_UNKNOWN]
            .flatMap((number) => [number - 1, number, number + 1])
            .filter((number) => number >= 0 && number <= 0xffffffff),
        )
        for (let number = 0; number <= 600; number++) numbers.add(number).add(X32_BIT + number)
        assert.ok(numbers.has(0xffffffff))
        const counts = new Map<number, number>()
        const checked: number[] = []
        for (const machine of programs.machines) {
          for (const number of numbers) {
            const { action, looksAtArguments } = programs.compare({ number, machine, args: [0n] })
            counts.set(action, (counts.get(action) ?? 0) + 1)
            if (!looksAtArguments) continue
            checked.push(number)
            for (const value of VALUES) programs.compare({ number, machine, args: [value] })
          }
        }
        // clone, personality and socket; for 64-bit x86 twice, with those of x32.
        assert.equal(checked.length, architecture === 'x64' ? 9 : 6)
        for (const action of [ALLOW, EPERM, ENOSYS]) assert.ok((counts.get(action) ?? 0) > 200)
      })

      it('kill programs of other machines', () => {
        const others = [0, 1, 0xc0000015, 0x80000016, 0xffffffff, 0x40000029, 0xc000003f]
        for (const machine of others) {
          for (const number of [0, 1, 39, 172, 500]) {
            const { action } = programs.compare({ number, machine, args: [] })
            assert.equal(action, KILL_PROCESS)
          }
        }
      })

      it('decide the same about anything', () => {
        const number = fc.oneof(
          fc.nat({ max: 600 }),
          fc.nat({ max: 600 }).map((low) => X32_BIT + low),
          fc.nat({ max: 0xffffffff }),
        )
        const machine = fc.oneof(
          fc.constantFrom(...programs.machines),
          fc.constantFrom(...programs.machines),
          fc.nat({ max: 0xffffffff }),
        )
        const value = fc.oneof(
          fc.constantFrom(...VALUES),
          fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        )
        const args = fc.array(value, { minLength: 6, maxLength: 6 })
        fc.assert(
          fc.property(fc.record({ number, machine, args }), (call) => {
            programs.compare(call)
          }),
          { numRuns: 20_000 },
        )
      })

      it('number all calls alike', () => {
        let known = 0
        for (const { token, ranges } of machinesOf(architecture) ?? []) {
          for (const { base, calls } of ranges) {
            const machine = base === X32_BIT ? X32 : token
            for (let number = 0; number < FIRST_UNKNOWN; number++) {
              const theirs = library.nameOf(machine, base + number)
              const ours = calls[number]
              const isLater = number > 450 || LATER_NAMES.includes(ours ?? '')
              if (theirs === undefined && isLater) continue
              assert.equal(ours, theirs, `${hex(base + number)} of ${hex(machine)}`)
              known++
            }
          }
        }
        assert.ok(known > 700)
      })

      it('end within few instructions', () => {
        const counts = programs.machines.flatMap((machine) =>
          Array.from(
            { length: 600 },
            (_, number) => programs.ours.run({ number, machine, args: [0xffffn] }).steps,
          ),
        )
        assert.ok(Math.max(...counts) < 32, `${Math.max(...counts)}`)
      })
    })
  }
})
