import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { type BuildFact, reported, TsbuildError, throwIfCancelled, together } from '#core'

describe('work done together', () => {
  it('gives results in the order of the tasks', async () => {
    const results = await together([
      async () => await sleep(5, 'slow'),
      async () => 'quick',
      async () => 3,
    ])
    assert.deepEqual(results, ['slow', 'quick', 3])
  })

  it('stops the others at the first failure and waits for their end', async () => {
    const ended: string[] = []
    const working = together([
      async (signal: AbortSignal) => {
        await sleep(10_000, undefined, { signal }).catch(() => sleep(20))
        ended.push('other')
        throw new Error('of the other')
      },
      async () => {
        throw new Error('first')
      },
    ])
    await assert.rejects(working, /^Error: first$/)
    assert.deepEqual(ended, ['other'])
  })

  it('runs no more at once than it may, and starts none after a failure', async () => {
    let running = 0
    const seen: number[] = []
    const task = (index: number) => async (): Promise<number> => {
      seen.push(++running)
      await sleep(1)
      running--
      if (index === 5) throw new Error('fifth')
      return index
    }
    const first = [0, 1, 2, 3, 4].map(task)
    assert.deepEqual(await together(first, undefined, { atOnce: 2 }), [0, 1, 2, 3, 4])
    assert.equal(Math.max(...seen), 2)
    seen.length = 0
    const more = [5, 6, 7, 8, 9].map(task)
    await assert.rejects(together(more, undefined, { atOnce: 2 }), /^Error: fifth$/)
    assert.equal(seen.length, 2)
  })

  it('stops when its signal is aborted', async () => {
    const waiting = (signal: AbortSignal): Promise<void> => sleep(10_000, undefined, { signal })
    await assert.rejects(together([waiting, waiting], AbortSignal.timeout(10)))
  })
})

describe('a reported vertex', () => {
  async function ends(perform: () => Promise<unknown>): Promise<readonly string[]> {
    const events: BuildFact[] = []
    const vertex = { id: 'v', name: 'work' }
    await reported(vertex, (event) => void events.push(event), perform).catch(() => undefined)
    return events.map(({ type }) => type)
  }

  it('starts, and is done, fails or is cancelled', async () => {
    assert.deepEqual(await ends(async () => 1), ['started', 'done'])
    assert.deepEqual(await ends(() => Promise.reject(new Error('x'))), ['started', 'failed'])
    const cancelled = async (): Promise<void> => throwIfCancelled(AbortSignal.abort('any'), 'work')
    assert.deepEqual(await ends(cancelled), ['started', 'cancelled'])
    await assert.rejects(cancelled(), (error) => {
      return error instanceof TsbuildError && error.message === 'work: cancelled'
    })
  })
})
