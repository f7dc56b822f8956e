import assert from 'node:assert/strict'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { FollowedResolvConf, parseResolvConf } from '#builder/network'

describe('resolv.conf', () => {
  it('names servers, domains and options', () => {
    const text =
      '# a comment\nnameserver 10.0.0.1\n  nameserver\tfd00::1 \n;nameserver 10.0.0.9\nsearch a.test  b.test\noptions ndots:3 edns0\nnameserver bad\nnameserver ::1\nnameserver 10.0.0.4\nother x\n'
    assert.deepEqual(parseResolvConf(text), {
      servers: ['10.0.0.1', 'fd00::1', '::1'],
      refused: [],
      others: ['search a.test b.test', 'options ndots:3 edns0'],
    })
  })

  it('means a server of this machine where none is named', () => {
    assert.deepEqual(parseResolvConf('search a.test\n').servers, ['127.0.0.1'])
  })

  it('has no server that is asked on the link', () => {
    const linkLocal = ['169.254.169.254', 'fe80::1%eth0', '::ffff:169.254.169.254']
    for (const address of linkLocal) {
      const parsed = parseResolvConf(`nameserver ${address}\nnameserver 127.0.0.53\n`)
      assert.deepEqual([parsed.servers, parsed.refused], [['127.0.0.53'], [address]])
      assert.deepEqual(parseResolvConf(`nameserver ${address}\n`).servers, [])
    }
  })

  it('is followed when it changes, goes and comes', () => {
    const directory = mkdtempSync('/tmp/tsbuild-resolv-test-')
    try {
      const path = `${directory}/resolv.conf`
      const followed = new FollowedResolvConf(path)
      const put = (address: string): void => {
        writeFileSync(`${path}.new`, `nameserver ${address}\n`)
        renameSync(`${path}.new`, path)
      }
      put('10.0.0.1')
      assert.deepEqual(followed.current().servers, ['10.0.0.1'])
      put('10.0.0.2')
      assert.deepEqual(followed.current().servers, ['10.0.0.2'])
      rmSync(path)
      assert.deepEqual(followed.current().servers, ['10.0.0.2'])
      put('10.0.0.3')
      assert.deepEqual(followed.current().servers, ['10.0.0.3'])
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})
