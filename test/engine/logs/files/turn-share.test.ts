import assert from 'node:assert/strict'
import { TURN_SHARE } from '../../../../engine/logs/files/turn-share.ts'

describe('share of logs in a turn of the event loop', () => {
  it('divides work among turns, in order', async () => {
    let turns = 0
    let isOver = false
    const count = (): void => {
      turns++
      if (!isOver) setImmediate(count)
    }
    setImmediate(count)
    const done: number[] = []
    const works = Array.from({ length: 40 }, (_, index) =>
      TURN_SHARE.use(() => {
        block(2)
        done.push(index)
        return index
      }),
    )
    const results = await Promise.all(works)
    isOver = true
    assert.deepEqual(
      done,
      works.map((_, index) => index),
    )
    assert.deepEqual(results, done)
    // About four of them in a turn.
    assert.ok(turns >= 8, `${turns} turns`)
  })

  it('goes on after a failure', async () => {
    const fail = (): never => {
      block(10)
      throw new Error('broken')
    }
    const failing = TURN_SHARE.use(fail)
    const next = TURN_SHARE.use(() => 'done')
    await assert.rejects(failing, /broken/)
    assert.equal(await next, 'done')
  })
})

function block(milliseconds: number): void {
  const end = performance.now() + milliseconds
  while (performance.now() < end);
}
