import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import { openStore, type Store } from '#cache'
import { keyOf, newRoot, removeRoots, withStore } from './support.ts'

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

  it('are held by one at a time, and tell who makes one wait', async () => {
    const first = await store.lease(keyOf('a'))
    const waits: number[] = []
    const second = withStore(store.root, async (other) => {
      await using _ = await other.lease(keyOf('a'), { onWait: ({ pid }) => waits.push(pid) })
      return 'second'
    })
    const winner = await Promise.race([second, setTimeout(100, 'nobody')])
    assert.equal(winner, 'nobody')
    assert.deepEqual(waits, [process.pid])
    await first[Symbol.asyncDispose]()
    assert.equal(await second, 'second')
  })

  it('can be given up waiting for', async () => {
    await using _ = await store.lease(keyOf('a'))
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
