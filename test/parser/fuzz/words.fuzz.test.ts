import assert from 'node:assert/strict'
import fc from 'fast-check'
import { expandWord } from '#parser'
import { fuzz } from '../../support/random/index.ts'
import { anyWord, attempt, lookup, OPTIONS } from '../any-word.ts'

/** A word may become that much longer than it is written. */
const MAX_GROWTH = 1024 * 1024
/** Names that every object has, and that no variable has unless it is declared. */
const INHERITED = ['__proto__', 'constructor', 'toString', 'hasOwnProperty']

const inputs = fc.record({ word: anyWord, value: anyWord, name: fc.constantFrom(...INHERITED) })

describe('fuzz: words', () => {
  fuzz('F2: are expanded within bounds, or refused', {
    name: 'words',
    inputs,
    check: ({ word, value, name }) => {
      const values = new Map([['a', value]])
      for (const options of OPTIONS) {
        const expanded = attempt(word, { ...options, lookup: (key) => values.get(key) })
        assert.ok((expanded?.length ?? 0) <= word.length + MAX_GROWTH)
      }
      // What has no special character stays, wherever it comes from.
      assert.equal(attempt('$a', { lookup: (key) => values.get(key) }), value)
      assert.equal(expandWord(`$${name}`, { lookup }), '')
    },
  })
})
