import assert from 'node:assert/strict'
import { cutToWidth, displayWidth, padToWidth } from '../../../cli/terminal/width.ts'

describe('the width of text', () => {
  it('is cut by the columns that it takes', () => {
    assert.equal(displayWidth('日本e\u0301'), 5)
    assert.equal(cutToWidth('abcdef', 6), 'abcdef')
    assert.equal(cutToWidth('abcdef', 5), 'abcd…')
    assert.equal(cutToWidth('日本語', 5), '日本…')
    assert.equal(cutToWidth('日本語', 4), '日…')
    assert.equal(cutToWidth('abc', 0), '')
  })

  it('is that of whole characters, however many code points they have', () => {
    const family = '👨\u200d👩\u200d👧'
    assert.equal(displayWidth(family), 2)
    assert.equal(cutToWidth(`${family}${family}`, 3), `${family}…`)
    assert.equal(padToWidth('日本', 6), '日本  ')
  })
})
