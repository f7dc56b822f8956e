import assert from 'node:assert/strict'
import { noticesOf } from '../../../../builder/sandbox/host/notices.ts'

describe('notices of a sandbox', () => {
  it('say what no_new_privs does to steps', () => {
    assert.deepEqual(noticesOf(new Map([['NoNewPrivs', '0']])), [])
    const [notice] = noticesOf(new Map([['NoNewPrivs', '1']]))
    assert.match(notice?.message ?? '', /no_new_privs is set/)
    assert.match(notice?.hint ?? '', /allowPrivilegeEscalation/)
  })
})
