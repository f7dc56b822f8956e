import assert from 'node:assert/strict'
import { stepFilter } from '#builder/sandbox'
import { ociSeccomp } from '../../../../builder/sandbox/runtime/oci-seccomp.ts'
import { BpfMachine } from '../support/bpf-machine.ts'
import { LIBRARY_MACHINES, Libseccomp, rulesOf } from '../support/libseccomp.ts'

const X32 = 0x4000003e
const X32_BIT = 0x40000000
const EPERM = 0x00050001
/** From here on an older library has no names; runtimes answer ENOSYS beyond what it knows. */
const FIRST_LATER = 451

/** Around what rules look at, each with something in the high half, too. */
const VALUES: readonly bigint[] = [
  ...Array.from({ length: 80 }, (_, value) => BigInt(value)),
  ...Array.from({ length: 32 }, (_, bit) => 1n << BigInt(bit)),
  ...Array.from({ length: 32 }, (_, bit) => (1n << BigInt(bit)) | 38n),
  ...[0x20007n, 0x20008n, 0x20009n, 0xfffffffen, 0xffffffffn, 0x7e020000n, 0x01200011n],
].flatMap((low) => [low, (1n << 32n) | low])

describe('filter of system calls in the form of runtimes', () => {
  const library = new Libseccomp()

  for (const architecture of ['x64', 'arm64'] as const) {
    it(`decides as the own one, compiled by libseccomp: ${architecture}`, () => {
      const own = new BpfMachine(stepFilter(architecture))
      const rules = rulesOf(ociSeccomp(architecture))
      assert.ok(rules.length > 350)
      const theirs = new BpfMachine(library.program(architecture, rules))
      let looked = 0
      for (const machine of LIBRARY_MACHINES[architecture]) {
        if (machine === X32) continue
        for (let index = 0; index < 2 * FIRST_LATER; index++) {
          const number = index < FIRST_LATER ? index : X32_BIT + index - FIRST_LATER
          // What the library is too old for is refused.
          if (library.nameOf(number < X32_BIT ? machine : X32, number) === undefined) continue
          for (const value of VALUES) {
            const call = { number, machine, args: [value] }
            const ours = own.run(call)
            const { action, looksAtArguments } = theirs.run(call)
            // A number that no machine has is unknown to ours.
            const isUnknown = ours.action === 0x00050026 && action === EPERM
            if (!isUnknown) assert.equal(action, ours.action, `${number} of ${machine}, ${value}`)
            if (!looksAtArguments && !ours.looksAtArguments) break
            looked++
          }
        }
      }
      assert.ok(looked > 1000)
    })
  }

  it('names the machines of this one', () => {
    assert.ok(ociSeccomp().architectures.length > 1)
  })
})
