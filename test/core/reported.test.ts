import assert from 'node:assert/strict'
import { type OnEvent, reported } from '#core'

describe('what is reported of a vertex', () => {
  it('that failed is what went wrong first, not that closing something failed as well', async () => {
    const events: Parameters<OnEvent>[0][] = []
    const onEvent: OnEvent = (event) => void events.push(event)
    const work = async (): Promise<void> => {
      await using _ = { [Symbol.asyncDispose]: () => Promise.reject(new Error('close')) }
      throw new Error('full')
    }
    await assert.rejects(reported({ id: 'a', name: 'a' }, onEvent, work))
    const messages = events.flatMap((event) => (event.type === 'failed' ? [event.message] : []))
    assert.deepEqual(messages, ['full'])
  })
})
