import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { noticesOf } from '../../../../builder/sandbox/host/notices.ts'
import { inProcessFixture } from '../support/fixture.ts'

const BUILDER = fileURLToPath(new URL('../support/builder-process.js', import.meta.url))

describe('notices of a sandbox', () => {
  it('say what no_new_privs does to steps', () => {
    assert.deepEqual(noticesOf(new Map([['NoNewPrivs', '0']])), [])
    const [notice] = noticesOf(new Map([['NoNewPrivs', '1']]))
    assert.match(notice?.message ?? '', /no_new_privs is set/)
    assert.match(notice?.hint ?? '', /allowPrivilegeEscalation/)
  })

  it('say so of steps, which run all the same', async () => {
    const fixture = inProcessFixture()
    try {
      const temporary = `${fixture.directory}/temporary`
      const specs = [fixture.spec(['sh', '-c', 'echo ran'])]
      const words = [process.execPath, BUILDER, JSON.stringify({ temporary, specs, notices: true })]
      const { stdout, stderr } = spawnSync('setpriv', ['--no-new-privs', '--', ...words], {
        encoding: 'utf8',
      })
      assert.equal(stdout, 'ran\n', stderr)
      assert.match(stderr, /notice: set-uid programs in steps .* get no rights/)
    } finally {
      await fixture.close()
    }
  })
})
