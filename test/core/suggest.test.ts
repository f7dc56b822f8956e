import assert from 'node:assert/strict'
import { suggestion } from '#core'

const TABLE: readonly (readonly [string, readonly string[], string | undefined])[] = [
  ['imagse', ['images', 'image'], 'images'],
  ['FORM', ['ARG', 'FROM', 'RUN'], 'FROM'],
  ['abc', ['abcde', 'abcd'], 'abcd'],
  ['tga', ['tag'], 'tag'],
  ['helo', ['hullo', 'hello'], 'hello'],
  ['all', ['pull'], undefined],
  ['x', ['y'], undefined],
  ['abc', ['abd', 'abc'], undefined],
  ['completely', ['different'], undefined],
  ['', ['a'], undefined],
]

describe('suggestion', () => {
  for (const [word, candidates, meant] of TABLE) {
    it(`for ${word} among ${candidates.join(', ')} is ${meant ?? 'none'}`, () => {
      assert.equal(suggestion(word, candidates), meant)
    })
  }
})
