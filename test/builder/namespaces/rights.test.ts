import assert from 'node:assert/strict'
import { type ProcessStatus, remedyFor } from '#builder/namespaces'

describe('rights of this process', () => {
  const status = (lines: Readonly<Record<string, string>>): ProcessStatus =>
    new Map(Object.entries({ CapEff: '000001ffffffffff', Seccomp: '0', ...lines }))

  it('are named where those that are missing forbid something', () => {
    const docker = status({ CapEff: '00000000a80425fb' })
    assert.match(remedyFor('EPERM', docker) ?? '', /lacks the capabilities NET_ADMIN, SYS_ADMIN: /)
    assert.match(remedyFor('EPERM', status({ CapEff: '000001ffffdfffff' })) ?? '', /y SYS_ADMIN: /)
    assert.match(remedyFor('EPERM', status({ Seccomp: '2' })) ?? '', /filter of system calls/)
    assert.equal(remedyFor('EPERM', status({})), undefined)
    assert.equal(remedyFor('ENOSPC', docker), undefined)
  })
})
