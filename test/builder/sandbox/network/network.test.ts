import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import type { SandboxFixture } from '../../../suites/sandbox/fixture.ts'
import { inProcessFixture } from '../support/fixture.ts'

describe('sandbox: networks', () => {
  let fixture: SandboxFixture

  before(() => {
    assert.ok(existsSync('/usr/bin/slirp4netns'), 'these tests need the package slirp4netns')
    fixture = inProcessFixture()
  })
  after(() => fixture.close())

  it('are used again by later steps', async () => {
    const overrides = { network: 'default' } as const
    const link = 'readlink /proc/self/ns/net; sleep 0.1'
    const both = await Promise.all([fixture.sh(link, overrides), fixture.sh(link, overrides)])
    assert.notEqual(both[0], both[1])
    assert.ok(both.includes(await fixture.sh(link, overrides)))
  })

  it('are connected by a device that a step cannot change', async () => {
    const { stderr } = await fixture.run(['ifconfig', 'tap0', 'down'], { network: 'default' })
    assert.match(stderr, /not permitted/)
  })

  it('leave no helper behind', async () => {
    const before = helpers()
    const other = inProcessFixture()
    await other.run(['true'], { network: 'default' })
    assert.equal(helpers().length, before.length + 1)
    await other.close()
    assert.deepEqual(helpers(), before)
  })
})

/** Children of this process that connect networks. */
function helpers(): readonly string[] {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false
    try {
      const status = readFileSync(`/proc/${name}/status`, 'utf8')
      return /^Name:\tslirp4netns$/m.test(status) && status.includes(`\nPPid:\t${process.pid}\n`)
    } catch {
      return false
    }
  })
}
