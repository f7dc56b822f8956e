import assert from 'node:assert/strict'
import { findCycle } from '../../../parser/graph/cycle.ts'
import { parseCsv } from '../../../parser/text/csv.ts'
import { parseDuration } from '../../../parser/text/duration.ts'
import { didYouMean, nearest } from '../../../parser/text/suggest.ts'

describe('parseDuration', () => {
  it('gives nanoseconds', () => {
    const cases = {
      '0': 0,
      '30s': 30e9,
      '1m30s': 90e9,
      '1.5h': 5400e9,
      '500ms': 5e8,
      '1us': 1000,
      '2µs': 2000,
      '.5s': 5e8,
      '1.s': 1e9,
      '3ns': 3,
      '+1s': 1e9,
      '-2ms': -2e6,
    }
    for (const [text, nanoseconds] of Object.entries(cases)) {
      assert.equal(parseDuration(text), nanoseconds, text)
    }
  })

  it('reports malformed durations as Go does', () => {
    const cases = {
      '': 'invalid duration ""',
      '5': 'missing unit in duration "5"',
      s: 'invalid duration "s"',
      '1x': 'unknown unit "x" in duration "1x"',
      '1s2': 'missing unit in duration "1s2"',
      '1 s': 'unknown unit " s" in duration "1 s"',
      '.s': 'invalid duration ".s"',
      '1..5s': 'missing unit in duration "1..5s"',
      '--1s': 'invalid duration "--1s"',
      '9999999h': 'invalid duration "9999999h"',
      '1e3s': 'unknown unit "e" in duration "1e3s"',
    }
    for (const [text, mistake] of Object.entries(cases)) {
      assert.deepEqual(parseDuration(text), { mistake: `time: ${mistake}` }, text)
    }
  })
})

describe('nearest', () => {
  it('finds a suggestion, at most two edits away', () => {
    assert.equal(nearest('FORM', ['ARG', 'FROM', 'RUN']), 'FROM')
    assert.equal(nearest('abc', ['abcde', 'abcd']), 'abcd')
    assert.equal(nearest('abc', ['abcdef', 'xyz']), undefined)
    assert.equal(nearest('abc', ['abd', 'abc']), undefined)
    assert.equal(didYouMean('tets', ['test']), ' (did you mean test?)')
    assert.equal(didYouMean('other', ['test']), '')
  })
})

describe('parseCsv', () => {
  it('splits at commas outside quotes', () => {
    assert.deepEqual(parseCsv('a=b,c'), ['a=b', 'c'])
    assert.deepEqual(parseCsv('"a,b",c,"d""e"'), ['a,b', 'c', 'd"e'])
    assert.deepEqual(parseCsv('a,'), ['a', ''])
    assert.deepEqual(parseCsv('"",a'), ['', 'a'])
  })

  it('reports what is wrong and at which byte', () => {
    const bare = 'bare " in non-quoted field'
    const missing = 'extraneous or missing " in quoted field'
    const at = (column: number, problem: string) => {
      return { mistake: `parse error on line 1, column ${column}: ${problem}` }
    }
    assert.deepEqual(parseCsv(''), { mistake: 'EOF' })
    assert.deepEqual(parseCsv('a"b'), at(2, bare))
    assert.deepEqual(parseCsv('é,a"b'), at(5, bare))
    assert.deepEqual(parseCsv('"a"b'), at(3, missing))
    assert.deepEqual(parseCsv('"a'), at(2, missing))
  })
})

describe('findCycle', () => {
  it('finds one, lowest member first', () => {
    assert.equal(findCycle([[], [0], [0, 1], [2, 2]]), undefined)
    assert.deepEqual(findCycle([[0]]), [0])
    assert.deepEqual(findCycle([[3], [2], [3], [1], [3, 0]]), [1, 2, 3])
    assert.deepEqual(findCycle([[], [2], [1, 0]]), [1, 2])
  })
})
