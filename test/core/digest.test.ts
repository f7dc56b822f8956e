import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { chainIdOf, Digester, digestOf, isDigest, parseDiffId, parseDigest } from '#core'

describe('digest', () => {
  it('is sha256, whichever implementation computes it', () => {
    const length = fc.oneof(fc.nat(4096), fc.integer({ min: 32_000, max: 34_000 }), fc.nat(200_000))
    fc.assert(
      fc.property(length, fc.double({ min: 0, max: 1, noNaN: true }), (length, part) => {
        const bytes = randomBytes(length)
        const expected = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
        const digester = new Digester()
        digester.update(bytes.subarray(0, length * part))
        digester.update(bytes.subarray(length * part))
        assert.equal(digestOf(bytes), expected)
        assert.equal(digester.digest(), expected)
        assert.equal(digester.size, length)
      }),
    )
  })

  it('is the same before what is faster is loaded', async () => {
    // Another instance of the module, which has loaded nothing.
    const { digestOf: ofSmall } = (await import(
      `${new URL('../../core/oci/digest.js', import.meta.url)}?fresh`
    )) as typeof import('../../core/oci/digest.ts')
    for (let length = 0; length < 300; length++) {
      const bytes = randomBytes(length)
      const expected = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
      assert.equal(ofSmall(bytes), expected)
    }
    assert.notEqual(ofSmall, digestOf)
  })

  it('accepts one form only', () => {
    const hex = randomBytes(32).toString('hex')
    assert.equal(isDigest(`sha256:${hex}`), true)
    const refused = [
      `sha256:${hex.slice(1)}`,
      `sha256:${hex}0`,
      `sha256:${'A'.repeat(64)}`,
      `SHA256:${hex}`,
      `sha512:${hex}${hex}`,
      `sha256:../../${hex.slice(6)}`,
      hex,
      '',
      `sha256:${hex}\n`,
    ]
    for (const text of refused) {
      assert.equal(isDigest(text), false, text)
      assert.throws(() => parseDigest(text), { code: 'REFERENCE_INVALID' })
    }
  })

  it('chains diffIDs as in the image spec', () => {
    const [a, b, c] = ['a', 'b', 'c'].map((text) => parseDiffId(digestOf(text)))
    assert.ok(a && b && c)
    assert.equal(chainIdOf([]), undefined)
    assert.equal(chainIdOf([a]), a as string)
    const two = createHash('sha256').update(`${a} ${b}`).digest('hex')
    const three = createHash('sha256').update(`sha256:${two} ${c}`).digest('hex')
    assert.equal(chainIdOf([a, b, c]), `sha256:${three}`)
  })
})
