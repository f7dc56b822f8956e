import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { makeFileSystem, takesOptions } from '#builder/linux'

const SUITE = fileURLToPath(new URL('../support/suite-without-pidns.js', import.meta.url))

describe('the /proc of a step', () => {
  before(function () {
    if (process.getuid?.() !== 0) this.skip()
  })

  it('is mounted by pid 1 where the kernel takes no descriptor of its namespace', async () => {
    const child = spawn(process.execPath, [SUITE])
    const outputs = [text(child.stdout), text(child.stderr)]
    await once(child, 'close')
    const report = (await Promise.all(outputs)).join('')
    assert.equal(child.exitCode, 0, report)
    assert.match(report, /\d{2} passing/)
  }).timeout(300_000)

  it('is of the pid namespace that it is given', function () {
    if (!takesOptions('proc', { pidns: '/proc/self/ns/pid' })) this.skip()
    const namespace = openSync('/proc/self/ns/pid', 'r')
    const root = makeFileSystem('proc', { pidns: namespace })
    try {
      assert.equal(
        readFileSync(`/proc/self/fd/${root}/${process.pid}/comm`, 'utf8'),
        readFileSync('/proc/self/comm', 'utf8'),
      )
      assert.ok(readdirSync(`/proc/self/fd/${root}`).includes('1'))
    } finally {
      closeSync(root)
      closeSync(namespace)
    }
  })

  it('is asked for only where the kernel knows how', () => {
    assert.equal(takesOptions('proc', { 'no such option': true }), false)
    assert.equal(takesOptions('no such file system', {}), false)
    assert.equal(takesOptions('tmpfs', { size: '1m' }), true)
  })
})
