import assert from 'node:assert/strict'
import { isLocalAddress, isLoopback } from '../../http/addresses.ts'
import { formsOf } from '../support/http/index.ts'

describe('addresses', () => {
  it('recognizes loopback by every spelling', () => {
    for (const host of ['localhost', 'a.localhost', '127.0.0.1', '127.9.9.9', '::1', '[::1]']) {
      assert.equal(
        isLoopback(new URL(`http://${host.includes('::1') ? '[::1]' : host}`).hostname),
        true,
      )
    }
    for (const host of ['0x7f.1', '2130706433', '[::ffff:127.0.0.1]']) {
      assert.equal(isLoopback(new URL(`http://${host}`).hostname), true, host)
    }
    for (const host of ['localhost.example', '128.0.0.1', 'notlocalhost', '10.0.0.1']) {
      assert.equal(isLoopback(host), false, host)
    }
  })

  it('recognizes addresses of this machine and its link', () => {
    const local = [
      '169.254.169.254',
      '0.0.0.0',
      '::',
      'fe80::1',
      '::ffff:169.254.169.254',
      '127.0.0.1',
    ]
    for (const address of local) assert.equal(isLocalAddress(address), true, address)
    const others = [
      '10.0.0.1',
      '192.168.1.1',
      '93.184.216.34',
      '2001:db8::1',
      'metadata.google.internal',
    ]
    for (const address of others) assert.equal(isLocalAddress(address), false, address)
  })

  it('recognizes local addresses behind every form of IPv6', () => {
    const local = ['127.0.0.1', '169.254.169.254', '169.254.170.2', '0.0.0.0', '255.255.255.255']
    const metadata = ['100.100.100.200', '168.63.129.16', '192.0.0.192']
    for (const address of [...local, ...metadata]) {
      for (const form of formsOf(address)) {
        const host = new URL(`https://[${form}]/`).hostname
        assert.deepEqual([form, isLocalAddress(form), isLocalAddress(host)], [form, true, true])
      }
    }
    for (const address of ['93.184.216.34', '10.0.0.1', '192.168.1.1', '8.8.8.8']) {
      for (const form of formsOf(address).filter((one) => !one.startsWith('fe80'))) {
        assert.deepEqual([form, isLocalAddress(form)], [form, false])
      }
    }
    for (const address of ['fd00:ec2::254', 'fd00:ec2::23', 'fd20:ce::254', 'ff02::1', '::']) {
      assert.equal(isLocalAddress(address), true, address)
    }
    for (const address of ['fd00:1::1', '2606:4700::1111', '2001:67c::1']) {
      assert.equal(isLocalAddress(address), false, address)
    }
  })
})
