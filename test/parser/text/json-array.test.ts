import assert from 'node:assert/strict'
import fc from 'fast-check'
import { parseArray } from '../../../parser/text/json-array.ts'

/** What JSON.parse says, which throws for most of this. */
function slowly(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    if (!Array.isArray(value) || !text.startsWith('[') || !text.endsWith(']')) return undefined
    const isOverflow = (element: unknown): boolean =>
      typeof element === 'number' && !Number.isFinite(element)
    return value.some(isOverflow) ? undefined : value
  } catch {
    return undefined
  }
}

const PIECES = [
  ...['[', ']', '{', '}', ',', ':', '"', '"a"', '""', '\\', '\\n', '\\u00e9', '\\u00', '\\"'],
  ...['1', '-', '0', '.5', 'e3', '01', 'true', 'null', 'nul', ' ', '\t', '\n', '\u00a0', '\0', "'"],
]

describe('parseArray', () => {
  it('agrees with JSON.parse', () => {
    const garbage = fc.array(fc.constantFrom(...PIECES), { maxLength: 12 })
    const text = garbage.map((parts) => `[${parts.join('')}]`)
    const check = (raw: string): void => assert.deepEqual(parseArray(raw), slowly(raw))
    check('[{"toString":""}]')
    fc.assert(fc.property(text, check), { numRuns: 5000 })
    const value = fc.array(fc.jsonValue()).map((elements) => JSON.stringify(elements, null, 1))
    fc.assert(fc.property(value, check), { numRuns: 300 })
    const cut = fc.tuple(value, fc.nat(40)).map(([raw, at]) => raw.slice(0, at) + raw.slice(at + 1))
    fc.assert(fc.property(cut, check), { numRuns: 1000 })
  })

  it('refuses numbers that do not fit', () => {
    assert.equal(parseArray('[1e999]'), undefined)
    assert.deepEqual(parseArray('[1e99]'), [1e99])
  })
})
