import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { callRules, machinesOf } from '#builder/sandbox'

const FILE = new URL('../../../../../fixtures/filter/docker-profile.txt', import.meta.url)

/** The lists of the fixture: names of calls by their machines, as docker names these. */
const lists = new Map(
  readFileSync(FILE, 'utf8')
    .split(/^= /m)
    .slice(1)
    .map((part) => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n')).trim()]),
)

/** Our names of machines, docker's, and how many calls a step may make there at least. */
const MACHINES = [
  ['x64', 'amd64'],
  ['arm64', 'arm64'],
] as const

function allowedByDocker(machine: string): ReadonlySet<string> {
  const fitting = [...lists].filter(([key]) => key === 'all' || key.split(' ').includes(machine))
  return new Set(fitting.flatMap(([, names]) => names.split(/\s+/)))
}

describe("filter of system calls, and docker's profile", () => {
  const rules = callRules()

  for (const [ours, theirs] of MACHINES) {
    it(`allow the same calls on ${theirs}`, () => {
      const machines = machinesOf(ours) ?? []
      const calls = machines.flatMap(({ ranges }) => ranges.flatMap((range) => range.calls))
      const known = new Set(calls.filter((name) => name !== undefined))
      const allowed = [...known].filter((name) => rules.get(name) === 'allowed')
      const docker = [...allowedByDocker(theirs)].filter((name) => known.has(name))
      assert.ok(docker.length > 300)
      assert.deepEqual(allowed.toSorted(), docker.toSorted())
    })
  }

  it('look at the same arguments', () => {
    const others = [...rules].filter(([, rule]) => rule !== 'allowed')
    assert.deepEqual(Object.fromEntries(others), {
      clone: { mask: 2114060288, values: [0], listed: 'allowed', others: 'refused' },
      clone3: 'unknown',
      personality: {
        mask: 0xffffffff,
        values: [0, 8, 131072, 131080, 4294967295],
        listed: 'allowed',
        others: 'refused',
      },
      socket: { mask: 0xffffffff, values: [38, 40], listed: 'refused', others: 'allowed' },
    })
    assert.equal(lists.get('checked')?.split('\n').length, others.length)
  })
})
