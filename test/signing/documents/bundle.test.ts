import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { bundleFromJSON } from '@sigstore/bundle'
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify'
import { digestOf } from '#core'
import { bundleOf, readBundle } from '../../../signing/documents/bundle.ts'
import {
  readStatement,
  SIGN_PREDICATE,
  signStatement,
} from '../../../signing/documents/statement.ts'
import { imageSigner } from '../../../signing/keys/image-key.ts'

const DIGEST = digestOf(Buffer.from('manifest'))
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
const signer = imageSigner({ name: 'k', pem })
const statement = signStatement({ digest: DIGEST, annotations: { team: 'a' } })
const bytes = bundleOf(statement, signer)

/** Sigstore's own implementation for JavaScript. */
function sigstoreVerify(bundle: Buffer): void {
  const material = toTrustMaterial(NO_ROOT, () => ({
    publicKey: publicKey,
    validFor: () => true,
  }))
  const verifier = new Verifier(material, {
    ...{ tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 },
  })
  verifier.verify(toSignedEntity(bundleFromJSON(JSON.parse(bundle.toString()))))
}

/** A key alone is trusted: no authority, and no log. */
const NO_ROOT = {
  mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
  ...{ tlogs: [], certificateAuthorities: [], ctlogs: [], timestampAuthorities: [] },
}

describe('bundles of signatures', () => {
  it('are checked by an independent implementation', () => {
    sigstoreVerify(bytes)
  })

  it('are refused there with one byte changed, wherever that is', () => {
    const text = bytes.toString()
    const { dsseEnvelope } = JSON.parse(text) as {
      dsseEnvelope: { payload: string; signatures: { sig: string }[] }
    }
    const places = [dsseEnvelope.payload, dsseEnvelope.signatures[0]?.sig ?? '']
    for (const place of places) {
      for (const at of [8, place.length >> 1, place.length - 8]) {
        const other = place[at] === 'A' ? 'B' : 'A'
        const changed = `${place.slice(0, at)}${other}${place.slice(at + 1)}`
        const damaged = Buffer.from(text.replace(place, changed))
        assert.throws(() => sigstoreVerify(damaged))
        const read = readBundle(damaged)
        assert.ok(read)
        assert.ok(read.signatures.every((sig) => !signer.isSigned(read.signed, sig)))
      }
    }
  })

  it('are read as they were written', () => {
    const read = readBundle(bytes)
    assert.equal(read?.hint, signer.hint)
    assert.deepEqual(readStatement(read?.payload ?? Buffer.alloc(0)), {
      predicateType: SIGN_PREDICATE,
      subjects: [{ digest: DIGEST, annotations: { team: 'a' } }],
      predicate: '{}',
    })
  })

  it('of something else, or what is no base64, are told apart from those', () => {
    assert.equal(readBundle(Buffer.from('{"messageSignature":{}}')), undefined)
    const text = bytes.toString().replace('"sig":"', '"sig":" ')
    assert.throws(() => readBundle(Buffer.from(text)), { code: 'MANIFEST_INVALID' })
  })
})

describe('in-toto statements', () => {
  const base = JSON.parse(statement.toString()) as object
  const read = (change: object): unknown =>
    readStatement(Buffer.from(JSON.stringify({ ...base, ...change })))

  it('of the earlier version are read, too', () => {
    read({ _type: 'https://in-toto.io/Statement/v0.1' })
  })

  it('about nothing, or without a digest that counts, are refused', () => {
    const subjects = [[], [{ digest: { sha1: 'a'.repeat(40) } }], [{ digest: { sha256: 'ab' } }]]
    for (const subject of subjects) {
      assert.throws(() => read({ subject }), { code: 'MANIFEST_INVALID' })
    }
    assert.throws(() => read({ _type: 'x' }), { code: 'MANIFEST_INVALID' })
  })
})
