import assert from 'node:assert/strict'
import { failureOf, type ProgramCall, runCalls } from '#builder/linux'
import {
  profileOnExec,
  profileState,
  readAppArmorFacts,
} from '../../../../builder/sandbox/filter/apparmor.ts'
import { confineOnExec } from '../../../../builder/sandbox/filter/exec-attribute.ts'

const LISTED =
  'unconfined (unconfined)\nsnap.docker-default.x (complain)\ndocker-default (enforce)\n'

describe('AppArmor of a step', () => {
  for (const [what, expected, enabled, profiles, isNested] of [
    ['a kernel without it', 'none', undefined, undefined, false],
    ['a machine that has switched it off', 'none', 'N\n', LISTED, false],
    ['a user namespace', 'none', 'Y\n', LISTED, true],
    ['a machine with the profile', 'loaded', 'Y\n', LISTED, false],
    ['one where it only complains', 'loaded', 'Y\n', 'docker-default (complain)\n', false],
    [
      'one with others',
      'missing',
      'Y\n',
      'docker-default-2 (enforce)\nx.docker-default (kill)\n',
      false,
    ],
    ['one whose profiles cannot be read', 'missing', 'Y\n', undefined, false],
  ] as const) {
    it(`is ${expected} on ${what}`, () => {
      assert.equal(profileState({ enabled, profiles, isNested }), expected)
    })
  }

  it('is asked for in two files', () => {
    const files = new Map([
      ['/sys/module/apparmor/parameters/enabled', 'Y\n'],
      ['/sys/kernel/security/apparmor/profiles', LISTED],
    ])
    const read = (path: string): string => {
      const text = files.get(path)
      if (text !== undefined) return text
      throw Object.assign(new Error(path), { code: 'ENOENT' })
    }
    assert.equal(profileState({ ...readAppArmorFacts(read), isNested: false }), 'loaded')
    files.delete('/sys/kernel/security/apparmor/profiles')
    assert.equal(profileState({ ...readAppArmorFacts(read), isNested: false }), 'missing')
    files.clear()
    assert.equal(profileState(readAppArmorFacts(read)), 'none')
  })

  it('is written where the kernel takes it for the next program', () => {
    // Standard descriptors, and nothing else: no kernel knows the profile, and one without AppArmor none.
    const calls: readonly ProgramCall[] = [
      ...confineOnExec(profileOnExec('no-such-profile'), 3),
      { call: 'exit_group', args: [0] },
    ]
    const [report] = runCalls(calls)
    assert.ok(report !== undefined)
    const failure = failureOf(report, calls)
    assert.equal(failure.syscall, 'write')
    assert.ok(['EINVAL', 'ENOENT'].includes(failure.code ?? ''), failure.code)
  })
})
