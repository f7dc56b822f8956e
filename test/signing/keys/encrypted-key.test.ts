import assert from 'node:assert/strict'
import { generateKeyPairSync, scryptSync } from 'node:crypto'
import nacl from 'tweetnacl'
import { decryptKey, encryptKey, isEncryptedKey } from '../../../signing/keys/encrypted-key.ts'

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const PKCS8 = privateKey.export({ format: 'der', type: 'pkcs8' })
const PASSWORD = 'korrekt Pferd ä'
/** Small, so that tests are fast. */
const PARAMS = { N: 1024, r: 8, p: 1 }

interface Document {
  kdf: { name: string; params: { N: number; r: number; p: number }; salt: string }
  cipher: { name: string; nonce: string }
  ciphertext: string
}

function pem(document: object, label = 'ENCRYPTED COSIGN PRIVATE KEY'): string {
  const body = Buffer.from(JSON.stringify(document)).toString('base64')
  return `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`
}

/** As cosign does, by another implementation of its cipher. */
function locked(): Document {
  const [salt, nonce] = [Buffer.alloc(32, 7), Buffer.alloc(24, 9)]
  const key = scryptSync(PASSWORD, salt, 32, { ...PARAMS })
  const ciphertext = nacl.secretbox(PKCS8, nonce, key)
  return {
    kdf: { name: 'scrypt', params: PARAMS, salt: salt.toString('base64') },
    cipher: { name: 'nacl/secretbox', nonce: nonce.toString('base64') },
    ciphertext: Buffer.from(ciphertext).toString('base64'),
  }
}

const open = (text: string, password = PASSWORD): Buffer =>
  decryptKey(text, { password, name: 'team.key' })

describe('encrypted keys', () => {
  it('opens what another implementation locked, under both labels', () => {
    for (const label of ['ENCRYPTED COSIGN PRIVATE KEY', 'ENCRYPTED SIGSTORE PRIVATE KEY']) {
      const text = pem(locked(), label)
      assert.ok(isEncryptedKey(text))
      assert.deepEqual(open(text), PKCS8)
    }
  })

  it('locks what another implementation opens', () => {
    const text = encryptKey(PKCS8, PASSWORD)
    assert.match(text, /^-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n/)
    assert.ok(text.split('\n').every((line) => line.length <= 64))
    const body = /-----\n([\s\S]+)\n-----END/.exec(text)?.[1] ?? ''
    const { kdf, cipher, ciphertext } = JSON.parse(
      Buffer.from(body, 'base64').toString(),
    ) as Document
    assert.deepEqual(kdf.params, { N: 65_536, r: 8, p: 1 })
    const key = scryptSync(PASSWORD, Buffer.from(kdf.salt, 'base64'), 32, {
      ...{ N: 65_536, r: 8, p: 1, maxmem: 1 << 28 },
    })
    const nonce = Buffer.from(cipher.nonce, 'base64')
    const opened = nacl.secretbox.open(Buffer.from(ciphertext, 'base64'), nonce, key)
    assert.deepEqual(Buffer.from(opened ?? []), PKCS8)
    assert.notEqual(encryptKey(PKCS8, PASSWORD), text)
  })

  it('opens nothing with another password, and nothing that was changed', () => {
    assert.throws(() => open(pem(locked()), 'other'), { code: 'USAGE' })
    const { ciphertext } = locked()
    for (const at of [0, 20, 60]) {
      const bytes = Buffer.from(ciphertext, 'base64')
      bytes[at] = (bytes[at] ?? 0) ^ 1
      const changed = pem({ ...locked(), ciphertext: bytes.toString('base64') })
      assert.throws(() => open(changed), { code: 'USAGE' })
    }
  })

  it('refuses parameters that would take all memory, and ways that it does not know', () => {
    const { kdf, cipher } = locked()
    const strange = [
      { ...locked(), kdf: { ...kdf, params: { N: 2 ** 30, r: 8, p: 1 } } },
      { ...locked(), kdf: { ...kdf, params: { N: 1000, r: 8, p: 1 } } },
      { ...locked(), kdf: { ...kdf, params: { N: 1024, r: 8, p: 1000 } } },
      { ...locked(), kdf: { ...kdf, name: 'argon2' } },
      { ...locked(), cipher: { ...cipher, name: 'aes' } },
      { ...locked(), cipher: { ...cipher, nonce: 'AAAA' } },
      {},
    ]
    for (const document of strange) assert.throws(() => open(pem(document)), { code: 'USAGE' })
  })

  it('has nothing of the key or the password in an error', () => {
    const secret = PKCS8.toString('base64').slice(20, 40)
    for (const text of [pem({ ...locked(), ciphertext: secret }), pem([secret])]) {
      assert.throws(
        () => open(text, 'hunter2'),
        (error: Error) => !error.message.includes(secret) && !error.message.includes('hunter2'),
      )
    }
  })
})
