import assert from 'node:assert/strict'
import { checkRealm } from '../../../registry-client/auth/realm.ts'
import { formsOf } from '../../support/http/index.ts'

const SECURE = new URL('https://registry.example:5000')
const PLAIN = new URL('http://registry.example')
const HERE = new URL('http://127.0.0.1:5000')
const LOCAL = ['127.0.0.1', '169.254.169.254', '169.254.170.2', '0.0.0.0', '255.255.255.255']
const METADATA = ['100.100.100.200', '168.63.129.16', '192.0.0.192']

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

  it('are not behind any form of a local address', () => {
    for (const form of [...LOCAL, ...METADATA].flatMap(formsOf)) {
      assert.throws(
        () => checkRealm(`https://[${form}]/token`, SECURE),
        { code: 'REGISTRY_DENIED' },
        form,
      )
    }
  })
})
