import assert from 'node:assert/strict'
import { digestOf } from '#core'
import { readSimplePayload, simplePayload } from '../../../signing/documents/simple-signing.ts'

const digest = digestOf(Buffer.from('manifest'))
const claim = { digest, repository: 'registry.example/app', annotations: {} }

describe('payloads of simple signing', () => {
  it('are the bytes that cosign signs', () => {
    const critical = `{"identity":{"docker-reference":"registry.example/app"},"image":{"docker-manifest-digest":"${digest}"},"type":"cosign container image signature"}`
    assert.equal(simplePayload(claim).toString(), `{"critical":${critical},"optional":null}`)
    const annotated = simplePayload({ ...claim, annotations: { b: '2', a: '1' } }).toString()
    assert.equal(annotated, `{"critical":${critical},"optional":{"a":"1","b":"2"}}`)
  })

  it('are read as they were written', () => {
    assert.deepEqual(readSimplePayload(simplePayload(claim)), claim)
    const annotated = { ...claim, annotations: { a: '1' } }
    assert.deepEqual(readSimplePayload(simplePayload(annotated)), annotated)
  })

  it('about something else are refused', () => {
    const text = simplePayload(claim).toString()
    for (const [from, to] of [
      ['cosign container image', 'other'],
      ['sha256:', 'sha1:'],
      ['"critical"', '"Critical"'],
    ] as const) {
      const changed = Buffer.from(text.replace(from, to))
      assert.throws(() => readSimplePayload(changed), { code: 'MANIFEST_INVALID' })
    }
  })
})
