import assert from 'node:assert/strict'
import { OwnTurns } from '#builder/threads'

describe('turns of the event loop', () => {
  it('are taken in order, with turns of others between them', async () => {
    const turns = new OwnTurns()
    const seen: string[] = []
    const tick = (): void => {
      seen.push('other')
      if (seen.length < 20) setImmediate(tick)
    }
    setImmediate(tick)
    await Promise.all(['a', 'b', 'c'].map((name) => turns.take().then(() => seen.push(name))))
    const between = seen.slice(seen.indexOf('a'), seen.indexOf('c') + 1)
    assert.deepEqual(between, ['a', 'other', 'b', 'other', 'c'])
  })
})
