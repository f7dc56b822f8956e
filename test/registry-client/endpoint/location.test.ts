import assert from 'node:assert/strict'
import { checkTarget, resolveLocation } from '../../../registry-client/endpoint/location.ts'
import { formsOf } from '../../support/http/index.ts'

const SECURE = new URL('https://registry.example:5000')
const PLAIN = new URL('http://registry.example')
const HERE = new URL('http://127.0.0.1:5000')
const LOCAL = ['127.0.0.1', '169.254.169.254', '169.254.170.2', '0.0.0.0', '255.255.255.255']
const METADATA = ['100.100.100.200', '168.63.129.16', '192.0.0.192']

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
    ['http://registry.example:5000//127.0.0.1/x', 'https://registry.example:5000//127.0.0.1/x'],
    ['http://registry.example:5000//u:p@a/x', 'https://registry.example:5000//u:p@a/x'],
    ['//storage.example/x', 'https://storage.example/x'],
  ]
  for (const [location, expected] of resolved) {
    it(`${location} is ${expected}`, () => {
      const base = new URL('https://registry.example:5000/v2/a/')
      assert.equal(resolveLocation(location, base, SECURE).href, expected)
    })
  }

  it('are not behind any form of a local address', () => {
    for (const form of [...LOCAL, ...METADATA].flatMap(formsOf)) {
      assert.throws(
        () => checkTarget(new URL(`https://[${form}]/blob`), SECURE),
        { code: 'REGISTRY_FAILED' },
        form,
      )
    }
  })
})
