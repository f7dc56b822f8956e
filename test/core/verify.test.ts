import assert from 'node:assert/strict'
import { type Bytes, collect, digestOf, verified } from '#core'

async function* chunks(...texts: readonly string[]): Bytes {
  for (const text of texts) yield Buffer.from(text)
}

const expected = { digest: digestOf('hello'), size: 5 }

describe('verified', () => {
  it('passes the right bytes on', async () => {
    assert.equal((await collect(verified(chunks('he', 'llo'), expected), 5)).toString(), 'hello')
  })

  const wrong = [
    { what: 'too few', bytes: chunks('hell'), code: 'SIZE_MISMATCH' },
    { what: 'too many', bytes: chunks('hello', '!'), code: 'SIZE_MISMATCH' },
    { what: 'other', bytes: chunks('hallo'), code: 'DIGEST_MISMATCH' },
  ]
  for (const { what, bytes, code } of wrong) {
    it(`refuses ${what} bytes`, async () => {
      await assert.rejects(collect(verified(bytes, expected), 100), { code })
    })
  }

  it('never passes on more than the size', async () => {
    const passed: number[] = []
    await assert.rejects(async () => {
      for await (const chunk of verified(chunks('hel', 'lo, and more'), expected)) {
        passed.push(chunk.length)
      }
    })
    assert.deepEqual(passed, [3])
  })
})
