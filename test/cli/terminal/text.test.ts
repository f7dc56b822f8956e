import assert from 'node:assert/strict'
import fc from 'fast-check'
import { cleanLine, formatBytes } from '../../../cli/terminal/text.ts'

const CLEAN: readonly (readonly [string, string, string])[] = [
  ['colours', '\x1b[1;31mred\x1b[0m x', 'red x'],
  ['a title', '\x1b]0;evil\x07text', 'text'],
  ['a link', '\x1b]8;;http://x\x1b\\name\x1b]8;;\x1b\\', 'name'],
  ['8-bit sequences', '\x9b31mred\x9d0;t\x9cx', 'redx'],
  ['a sequence that never ends', 'a\x1b[', 'a'],
  ['a string that never ends', 'a\x1bPabc', 'a'],
  ['a reset', 'a\x1bcb', 'ab'],
  ['other control characters', 'a\x00b\x07c\x7f\x85', 'a\uFFFDb\uFFFDc\uFFFD\uFFFD'],
  ['direction marks', 'a\u202eb\u2066c', 'a\uFFFDb\uFFFDc'],
  ['tabs', 'a\tb', 'a       b'],
  ['newlines', 'a\r\nb\nc', 'a b c'],
  ['other scripts', 'größe 日本', 'größe 日本'],
]

describe('text for a terminal', () => {
  for (const [what, text, clean] of CLEAN) {
    it(`makes ${what} harmless`, () => assert.equal(cleanLine(text), clean))
  }

  it('never holds a control character', () => {
    const pieces = fc.constantFrom('\x1b[', '\x1b]', '\x9b', '\x1b', 'm', ';', '\x07', '\x9c', '\n')
    const text = fc
      .array(fc.oneof(pieces, fc.string({ unit: 'binary' })))
      .map((all) => all.join(''))
    fc.assert(
      fc.property(text, (raw) => {
        assert.doesNotMatch(cleanLine(raw), /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u)
      }),
    )
  })

  it('gives sizes in powers of 1000', () => {
    const sizes = [0, 999, 1000, 1_048_576, 999_999, 2_500_000_000]
    assert.deepEqual(sizes.map(formatBytes), ['0B', '999B', '1.00kB', '1.05MB', '1.00MB', '2.50GB'])
  })
})
