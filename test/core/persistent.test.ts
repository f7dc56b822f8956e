import assert from 'node:assert/strict'
import fc from 'fast-check'
import { PersistentList, PersistentMap } from '#core'

describe('PersistentMap', () => {
  it('equals a copied Map, whatever is derived from it', () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd')
    const step = fc.tuple(fc.nat(), fc.array(fc.tuple(key, fc.nat(9)), { maxLength: 3 }))
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const derived = [PersistentMap.of<number>([['a', 0]])]
        const copied = [new Map([['a', 0]])]
        for (const [from, entries] of steps) {
          const index = from % derived.length
          const parent = derived[index]
          if (parent !== undefined) derived.push(parent.with(entries))
          copied.push(new Map([...(copied[index] ?? []), ...entries]))
        }
        for (const [index, map] of derived.entries()) {
          const expected = copied[index] ?? new Map()
          assert.deepEqual([...map], [...expected])
          assert.equal(map.size, expected.size)
          for (const name of ['a', 'b', 'c', 'd']) {
            assert.equal(map.get(name), expected.get(name))
            assert.equal(map.has(name), expected.has(name))
          }
        }
      }),
      { numRuns: 300 },
    )
  })
})

describe('PersistentList', () => {
  it('keeps its items when two lists are derived from it', () => {
    const parent = PersistentList.of([1]).add(2)
    const [one, other] = [parent.add(3), parent.add(4)]
    assert.deepEqual([...parent], [1, 2])
    assert.deepEqual([...one.add(5)], [1, 2, 3, 5])
    assert.deepEqual([...other], [1, 2, 4])
    assert.equal(other.length, 3)
  })
})
