import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { Turns } from '../../../../builder/snapshot/in-place/turns.ts'

describe('turns of the one root', () => {
  it('are taken one at a time, in the order of asking', async () => {
    const turns = new Turns()
    const order: string[] = []
    const take = async (name: string, stack: readonly string[]): Promise<void> => {
      await turns.take(stack, undefined)
      order.push(name)
    }
    const all = [take('a', ['1']), take('b', ['2']), take('c', ['3'])]
    await turn()
    assert.deepEqual(order, ['a'])
    for (const expected of ['ab', 'abc']) {
      turns.giveBack(undefined)
      await turn()
      assert.equal(order.join(''), expected)
    }
    turns.giveBack(undefined)
    await Promise.all(all)
    await turns.take([], undefined)
  })

  it('go first to a stack on top of what the root shows', async () => {
    const turns = new Turns()
    const order: string[] = []
    const take = async (name: string, ...stack: string[]): Promise<void> => {
      await turns.take(stack, undefined)
      order.push(name)
    }
    await take('first', 'base')
    const waiting = [
      take('other', 'x', 'other'),
      take('next', 'copied', 'run', 'base'),
      take('same', 'base'),
    ]
    turns.giveBack(['run', 'base'])
    await turn()
    assert.deepEqual(order, ['first', 'next'])
    turns.giveBack(['y', 'copied', 'run', 'base'])
    await turn()
    assert.deepEqual(order, ['first', 'next', 'other'])
    turns.giveBack(['z'])
    await Promise.all(waiting)
    assert.equal(order.at(-1), 'same')
  })

  it('pass over those that stopped waiting', async () => {
    const turns = new Turns()
    await turns.take([], undefined)
    const abort = new AbortController()
    const left = turns.take([], abort.signal)
    const stays = turns.take([], undefined)
    abort.abort()
    await assert.rejects(left, { code: 'CANCELLED' })
    turns.giveBack(undefined)
    await stays
    await assert.rejects(turns.take([], AbortSignal.abort()), { code: 'CANCELLED' })
  })
})
