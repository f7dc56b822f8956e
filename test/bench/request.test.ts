import assert from 'node:assert/strict'
import { CASES } from '../../bench/cases/all-cases.ts'
import { parseRequest } from '../../bench/request.ts'

const KNOWN = { cases: ['cached', 'push'], figures: ['parser'] }

describe('the command line of the measurements', () => {
  it('names rows, rounds and a commit', () => {
    assert.deepEqual(parseRequest([], KNOWN), { names: new Set(), rounds: 5, compare: undefined })
    const words = ['cached', '--rounds', '9', 'push', '--compare', 'main']
    assert.deepEqual(parseRequest(words, KNOWN), {
      names: new Set(['cached', 'push']),
      rounds: 9,
      compare: 'main',
    })
  })

  it('says what there is for a name that is wrong', () => {
    assert.throws(
      () => parseRequest(['cache'], KNOWN),
      /^Error: no case cache: there are cached, push, parser$/,
    )
    assert.throws(
      () => parseRequest(['parser', '--compare', 'x'], KNOWN),
      /there are cached, push$/,
    )
    assert.throws(() => parseRequest(['--rounds', '0'], KNOWN), /invalid number of rounds: 0/)
  })

  it('can tell all rows apart', () => {
    const names = CASES.map(({ name }) => name)
    assert.ok(names.length > 10)
    assert.equal(new Set(names).size, names.length)
    assert.equal(new Set(CASES.map(({ title }) => title)).size, names.length)
  })
})
