import assert from 'node:assert/strict'
import { parseCsv } from '../../parser/csv.ts'
import { findCycle } from '../../parser/cycle.ts'
import { parseDuration } from '../../parser/duration.ts'
import { didYouMean, nearest } from '../../parser/suggest.ts'

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

  it('refuses what is none', () => {
    for (const text of [
      '',
      '5',
      's',
      '1x',
      '1s2',
      '1 s',
      '.s',
      '1..5s',
      '--1s',
      '9999999h',
      '1e3s',
    ]) {
      assert.equal(parseDuration(text), undefined, text)
    }
  })
})

describe('nearest', () => {
  it('finds what was meant, at most two edits away', () => {
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
    assert.deepEqual(parseCsv(''), [''])
    assert.deepEqual(parseCsv('a,'), ['a', ''])
    assert.deepEqual(parseCsv('"",a'), ['', 'a'])
  })

  it('tells what is wrong', () => {
    assert.deepEqual(parseCsv('a"b'), { mistake: 'bare " in non-quoted field' })
    assert.deepEqual(parseCsv('"a'), { mistake: 'extraneous or missing " in quoted field' })
    assert.deepEqual(parseCsv('"a"b'), { mistake: 'extraneous or missing " in quoted field' })
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
