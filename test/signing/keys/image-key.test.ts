import assert from 'node:assert/strict'
import { createHash, createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { generateKeys, imageSigner, imageVerifier } from '../../../signing/keys/image-key.ts'
import { needsPassword, readKey } from '../../../signing/keys/key-file.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../../support/peers/index.ts'

const BYTES = Buffer.from('payload')

function pemOf(key: { export(options: object): string | Buffer }, type: string): string {
  return key.export({ format: 'pem', type }).toString()
}

describe('keys of images', () => {
  let directory: TemporaryDirectory
  before(() => {
    directory = temporaryDirectory('keys')
  })
  after(() => directory?.[Symbol.dispose]())

  it('makes a pair whose halves fit', () => {
    const { privateKey, publicKey } = generateKeys('pw')
    const file = { name: 'k', pem: privateKey }
    assert.ok(needsPassword(file))
    const signer = imageSigner(file, 'pw')
    const verifier = imageVerifier({ name: 'p', pem: publicKey })
    assert.equal(verifier.hint, signer.hint)
    const signature = signer.sign(BYTES)
    assert.ok(verifier.isSigned(BYTES, signature))
    assert.ok(verify('sha256', BYTES, publicKey, signature))
    assert.equal(verifier.isSigned(Buffer.from('other'), signature), false)
    assert.throws(() => imageSigner(file), { code: 'USAGE' })
    assert.throws(() => imageSigner(file, 'PW'), { code: 'USAGE' })
    const der = createPublicKey(publicKey).export({ format: 'der', type: 'spki' })
    assert.equal(verifier.hint, createHash('sha256').update(der).digest('base64'))
  })

  it('signs with plain keys of P-256, RSA and Ed25519', () => {
    const pairs = [
      generateKeyPairSync('ec', { namedCurve: 'P-256' }),
      generateKeyPairSync('rsa', { modulusLength: 2048 }),
      generateKeyPairSync('ed25519'),
    ]
    for (const { privateKey, publicKey } of pairs) {
      const signer = imageSigner({ name: 'k', pem: pemOf(privateKey, 'pkcs8') })
      const verifier = imageVerifier({ name: 'p', pem: pemOf(publicKey, 'spki') })
      assert.ok(verifier.isSigned(BYTES, signer.sign(BYTES)))
    }
  })

  it('refuses keys that others digest in another way, or that are too small', () => {
    const pairs = [
      generateKeyPairSync('ec', { namedCurve: 'P-384' }),
      generateKeyPairSync('rsa', { modulusLength: 1024 }),
      generateKeyPairSync('x25519'),
    ]
    for (const { privateKey } of pairs) {
      const file = { name: 'k', pem: pemOf(privateKey, 'pkcs8') }
      assert.throws(() => imageSigner(file), { code: 'USAGE' })
    }
  })

  it('reads a key of a file or a variable, and says which is missing', () => {
    const publicKey = pemOf(generateKeyPairSync('ed25519').publicKey, 'spki')
    const path = directory.file('k.pub')
    writeFileSync(path, publicKey)
    assert.equal(readKey(path).pem, publicKey)
    assert.deepEqual(readKey('env://KEY', { KEY: publicKey }), { name: '$KEY', pem: publicKey })
    assert.throws(() => readKey('env://KEY', {}), { code: 'NOT_FOUND' })
    assert.throws(() => readKey(directory.file('missing')), { code: 'IO_FAILED' })
    assert.throws(() => imageVerifier({ name: 'k', pem: 'no key' }), { code: 'USAGE' })
  })
})
