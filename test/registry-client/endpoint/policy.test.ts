import assert from 'node:assert/strict'
import { isLocalAddress, isLoopback, networkHost } from '../../../http/addresses.ts'
import { checkRealm, checkTarget } from '../../../registry-client/auth/realm.ts'
import { resolveLocation } from '../../../registry-client/endpoint/location.ts'

const SECURE = new URL('https://registry.example:5000')
const PLAIN = new URL('http://registry.example')
const HERE = new URL('http://127.0.0.1:5000')

describe('where requests may go', () => {
  it('knows loopback by every spelling', () => {
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

  it('knows addresses of this machine and its link', () => {
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

  /** The spellings of IPv6 for an IPv4 address. */
  function formsOf(address: string): readonly string[] {
    const bytes = address.split('.').map(Number)
    const hex = (list: readonly number[]): string =>
      list.map((byte) => byte.toString(16).padStart(2, '0')).join('')
    const [a, b] = [hex(bytes.slice(0, 2)), hex(bytes.slice(2))]
    const [c, d] = [a, b].map((group) => (0xffff ^ Number.parseInt(group, 16)).toString(16))
    return [
      `::ffff:${a}:${b}`,
      `::ffff:${address}`,
      `::${a}:${b}`,
      `::ffff:0:${a}:${b}`,
      `64:ff9b::${a}:${b}`,
      `64:ff9b::${address}`,
      `64:ff9b:1::${a}:${b}`,
      `64:ff9b:1:fffe:1:2:${a}:${b}`,
      `64:ff9b:1:${a}:${b.slice(0, 2)}:${b.slice(2)}00::`,
      `2002:${a}:${b}::1`,
      `2002:${a}:${b}:1:2:3:4:5`,
      `2001:0:1:2:3:4:${c}:${d}`,
      `2001:db8::5efe:${a}:${b}`,
      `fe80::200:5efe:${a}:${b}`,
    ]
  }

  it('knows local addresses behind every form of IPv6', () => {
    const local = ['127.0.0.1', '169.254.169.254', '169.254.170.2', '0.0.0.0', '255.255.255.255']
    const metadata = ['100.100.100.200', '168.63.129.16', '192.0.0.192']
    for (const address of [...local, ...metadata]) {
      for (const form of formsOf(address)) {
        const host = new URL(`https://[${form}]/`).hostname
        assert.deepEqual([form, isLocalAddress(form), isLocalAddress(host)], [form, true, true])
        assert.throws(() => checkRealm(`https://[${form}]/token`, SECURE), {
          code: 'REGISTRY_DENIED',
        })
        assert.throws(() => checkTarget(new URL(`https://[${form}]/blob`), SECURE), {
          code: 'REGISTRY_FAILED',
        })
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

  it('knows the host behind Docker Hub', () => {
    assert.equal(networkHost('docker.io'), 'registry-1.docker.io')
    assert.equal(networkHost('ghcr.io'), 'ghcr.io')
  })

  describe('token services', () => {
    const allowed: readonly (readonly [URL, string])[] = [
      [SECURE, 'https://registry.example:5000/token'],
      [SECURE, 'https://registry.example/token'],
      [SECURE, 'https://auth.example/token?a=b'],
      [PLAIN, 'http://registry.example:8080/token'],
      [PLAIN, 'https://auth.example/token'],
      [HERE, 'http://127.0.0.1:5001/token'],
      [HERE, 'http://localhost:5001/token'],
    ]
    for (const [registry, realm] of allowed) {
      it(`${registry.origin} may use ${realm}`, () => {
        assert.equal(checkRealm(realm, registry).href, realm)
      })
    }
    const refused: readonly (readonly [URL, string])[] = [
      [SECURE, 'http://registry.example:5000/token'],
      [SECURE, 'http://auth.example/token'],
      [PLAIN, 'http://auth.example/token'],
      [PLAIN, 'http://127.0.0.1/token'],
      [SECURE, 'https://127.0.0.1/token'],
      [SECURE, 'https://0x7f.1/token'],
      [SECURE, 'https://localhost/token'],
      [SECURE, 'https://[::1]/token'],
      [SECURE, 'https://169.254.169.254/latest'],
      [SECURE, 'https://[::ffff:169.254.169.254]/latest'],
      [SECURE, 'https://user:pw@auth.example/token'],
      [HERE, 'http://auth.example/token'],
      [HERE, 'https://169.254.169.254/latest'],
      [HERE, 'https://[64:ff9b::a9fe:a9fe]/latest'],
      [HERE, 'https://[fe80::1]/token'],
      [HERE, 'https://[2002:7f00:1::1]/token'],
      [SECURE, 'file:///etc/passwd'],
      [SECURE, 'nonsense'],
      [SECURE, `https://auth.example/${'x'.repeat(3000)}`],
    ]
    for (const [registry, realm] of refused) {
      it(`${registry.origin} may not use ${realm.slice(0, 60)}`, () => {
        assert.throws(() => checkRealm(realm, registry), { code: 'REGISTRY_DENIED' })
      })
    }
  })

  describe('redirects and locations', () => {
    const refused: readonly (readonly [URL, string])[] = [
      [SECURE, 'http://storage.example/blob'],
      [SECURE, 'https://127.0.0.1/blob'],
      [SECURE, 'https://169.254.169.254/latest'],
      [PLAIN, 'http://localhost/blob'],
      [HERE, 'http://169.254.169.254/latest'],
      [HERE, 'http://[::ffff:169.254.169.254]/latest'],
      [HERE, 'https://[fd00:ec2::254]/latest'],
      [SECURE, 'ftp://storage.example/blob'],
    ]
    for (const [registry, target] of refused) {
      it(`${registry.origin} may not send to ${target}`, () => {
        assert.throws(() => checkTarget(new URL(target), registry), { code: 'REGISTRY_FAILED' })
      })
    }

    const resolved: readonly (readonly [string, string])[] = [
      ['/v2/a/blobs/uploads/1?x=1', 'https://registry.example:5000/v2/a/blobs/uploads/1?x=1'],
      ['?x=2', 'https://registry.example:5000/v2/a/?x=2'],
      ['https://storage.example/x#y', 'https://storage.example/x'],
      ['https://u:p@storage.example/x', 'https://storage.example/x'],
      ['http://registry.example:5000/x?y=1', 'https://registry.example:5000/x?y=1'],
      ['http://registry.example/x?y=1', 'https://registry.example:5000/x?y=1'],
      ['//storage.example/x', 'https://storage.example/x'],
    ]
    for (const [location, expected] of resolved) {
      it(`${location} is ${expected}`, () => {
        const base = new URL('https://registry.example:5000/v2/a/')
        assert.equal(resolveLocation(location, base, SECURE).href, expected)
      })
    }
  })
})
