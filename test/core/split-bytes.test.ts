import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { type Bytes, splitBytes } from '#core'

const delays = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 20 })

async function* numbered(count: number, seen: { ahead: number; isClosed: boolean }): Bytes {
  try {
    for (let index = 0; index < count; index++) {
      seen.ahead = index
      yield Uint8Array.of(index)
    }
  } finally {
    seen.isClosed = true
  }
}

/** Takes bytes with pauses, at most `limit` of them. */
async function take(bytes: Bytes, pauses: readonly number[], limit = 1000): Promise<number[]> {
  const taken: number[] = []
  for await (const [byte = -1] of bytes) {
    taken.push(byte)
    if (taken.length === limit) break
    for (let turns = pauses[taken.length] ?? 0; turns > 0; turns--) await nextTurn()
  }
  return taken
}

describe('bytes for two consumers', () => {
  it('reach both, whatever the pace of each', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(20), delays, delays, async (count, first, second) => {
        const seen = { ahead: 0, isClosed: false }
        const [a, b] = splitBytes(numbered(count, seen))
        const all = Array.from({ length: count }, (_, index) => index)
        assert.deepEqual(await Promise.all([take(a, first), take(b, second)]), [all, all])
        assert.ok(seen.isClosed)
      }),
    )
  })

  it('are left to the other one by a consumer that stops', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 9 }), delays, async (limit, pauses) => {
        const [a, b] = splitBytes(numbered(10, { ahead: 0, isClosed: false }))
        const [some, all] = await Promise.all([take(a, pauses, limit), take(b, [])])
        assert.deepEqual([some.length, all.length], [limit, 10])
      }),
    )
  })

  it('are read no further than the slower one has taken them', async () => {
    const seen = { ahead: 0, isClosed: false }
    const [slow, fast] = splitBytes(numbered(100, seen))
    const taking = take(fast, [])
    await slow.next()
    for (let turns = 0; turns < 50; turns++) await nextTurn()
    assert.ok(seen.ahead <= 1)
    await slow.return()
    assert.equal((await taking).length, 100)
  })

  it('reach the other one whole when a consumer stops while it waits for some', async () => {
    const [a, b] = splitBytes(numbered(3, { ahead: 0, isClosed: false }))
    const pending = a.next()
    await a.return()
    assert.deepEqual(await pending, { done: true, value: undefined })
    assert.deepEqual(await take(b, []), [0, 1, 2])
  })

  it('are closed when both stop, the one that never began too', async () => {
    const seen = { ahead: 0, isClosed: false }
    const [a, b] = splitBytes(numbered(10, seen))
    const taking = take(b, [], 3)
    await a.return()
    await a.return()
    assert.deepEqual(await taking, [0, 1, 2])
    assert.ok(seen.isClosed)
    assert.deepEqual(await b.next(), { done: true, value: undefined })
  })

  it('fail for both', async () => {
    const failure = new Error('the connection broke')
    async function* broken(): Bytes {
      yield Uint8Array.of(1)
      throw failure
    }
    const results = await Promise.allSettled(splitBytes(broken()).map((one) => take(one, [])))
    assert.deepEqual(
      results.map((one) => one.status === 'rejected' && one.reason),
      [failure, failure],
    )
  })
})
