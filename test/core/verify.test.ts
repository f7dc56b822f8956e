import assert from 'node:assert/strict'
import {
  type BlobSource,
  type Bytes,
  collect,
  copyBlob,
  digestOf,
  type ErrorCode,
  MEDIA_TYPES,
  TsbuildError,
  verified,
} from '#core'

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

describe('copyBlob', () => {
  const blob = { ...expected, mediaType: MEDIA_TYPES.ociLayer }

  /** Copies from a source that gives these bytes, or failures, one after the other. */
  async function copy(...answers: readonly (string | ErrorCode)[]): Promise<readonly string[]> {
    let fetches = 0
    const stored: string[] = []
    const open: BlobSource['open'] = async (descriptor) => {
      const answer = answers[fetches++] ?? ''
      const isCode = /^[A-Z_]+$/.test(answer)
      if (isCode) throw new TsbuildError('no', { code: answer as ErrorCode })
      return verified(chunks(answer), descriptor)
    }
    const put = async (_: unknown, bytes: Bytes): Promise<void> => {
      stored.push((await collect(bytes, 100)).toString())
    }
    await copyBlob(blob, { from: { open }, to: { put } })
    assert.equal(fetches, answers.length)
    return stored
  }

  it('fetches once more what comes damaged', async () => {
    assert.deepEqual(await copy('hello'), ['hello'])
    assert.deepEqual(await copy('hallo', 'hello'), ['hello'])
    assert.deepEqual(await copy('hell', 'hello'), ['hello'])
    assert.deepEqual(await copy('SIZE_MISMATCH', 'hello'), ['hello'])
  })

  it('fetches it no third time, and nothing else again', async () => {
    await assert.rejects(copy('hallo', 'hallo', 'hello'), { code: 'DIGEST_MISMATCH' })
    await assert.rejects(copy('NOT_FOUND', 'hello'), { code: 'NOT_FOUND' })
  })
})
