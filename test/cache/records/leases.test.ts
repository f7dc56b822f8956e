import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import { openStore, type Store } from '#cache'
import type { Wait } from '../../../cache/filesystem/waits.ts'
import { keyOf, newRoot, removeRoots, withStore } from '../support.ts'

describe('cache leases', () => {
  let store: Store

  beforeEach(() => {
    store = openStore(newRoot())
  })
  afterEach(async () => {
    await store[Symbol.asyncDispose]()
    removeRoots()
  })

  it('of different keys do not wait for each other', async () => {
    await using _ = await store.lease(keyOf('a'))
    await using __ = await store.lease(keyOf('b'))
  })

  it('are held by one at a time, and name the holder that is waited for', async () => {
    const first = await store.lease(keyOf('a'))
    const waits: Wait[] = []
    const second = withStore(
      store.root,
      async (other) => {
        await using _ = await other.lease(keyOf('a'), { what: 'RUN make' })
        return 'second'
      },
      { onWait: (wait) => void waits.push(wait) },
    )
    const winner = await Promise.race([second, setTimeout(100, 'nobody')])
    assert.equal(winner, 'nobody')
    const [wait] = waits
    assert.equal(wait?.reason, `process ${process.pid}, which does the same: RUN make`)
    assert.equal(await Promise.race([wait.ended, setTimeout(50, 'on')]), 'on')
    await first[Symbol.asyncDispose]()
    assert.equal(await second, 'second')
    await wait.ended
    assert.equal(waits.length, 1)
  })

  it('are waited for in silence by steps of the same build', async () => {
    const waits: Wait[] = []
    const options = { onWait: (wait: Wait) => void waits.push(wait) }
    await withStore(
      store.root,
      async (own) => {
        const first = await own.lease(keyOf('a'))
        const second = own.lease(keyOf('a'))
        await setTimeout(30)
        await first[Symbol.asyncDispose]()
        await (await second)[Symbol.asyncDispose]()
      },
      options,
    )
    assert.deepEqual(waits, [])
  })

  it('can be given up waiting for, which ends the wait', async () => {
    await using _ = await store.lease(keyOf('a'))
    const waits: Wait[] = []
    const onWait = (wait: Wait): void => void waits.push(wait)
    await withStore(
      store.root,
      async (other) => {
        const signal = AbortSignal.timeout(30)
        await assert.rejects(other.lease(keyOf('a'), { signal }), { code: 'CANCELLED' })
      },
      { onWait },
    )
    await assert.rejects(waits[0]?.ended ?? Promise.resolve(), { code: 'CANCELLED' })
    const waiting = store.lease(keyOf('a'), { signal: AbortSignal.timeout(30) })
    await assert.rejects(waiting, { code: 'CANCELLED' })
    await assert.rejects(store.lease(keyOf('free'), { signal: AbortSignal.abort() }), {
      code: 'CANCELLED',
    })
  })

  it('count how many are inside: never more than one', async () => {
    let inside = 0
    let most = 0
    const enter = async (holder: Store) => {
      await using _ = await holder.lease(keyOf('a'))
      most = Math.max(most, ++inside)
      await setTimeout(1)
      inside--
    }
    await withStore(store.root, async (other) => {
      await Promise.all(Array.from({ length: 20 }, (_, i) => enter(i % 2 ? store : other)))
    })
    assert.equal(most, 1)
  })
})
