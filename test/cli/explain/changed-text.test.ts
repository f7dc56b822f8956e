import assert from 'node:assert/strict'
import { changedText, quoted } from '../../../cli/explain/changed-text.ts'

describe('two values of a difference', () => {
  for (const [what, from, to, text] of [
    ['short ones', 'a b', 'a "c"', '"a b" -> "a \\"c\\""'],
    ['an empty one', '', 'x', '"" -> "x"'],
    [
      'long ones with a difference in the middle',
      `${'a'.repeat(90)}X${'b'.repeat(90)}`,
      `${'a'.repeat(90)}YY${'b'.repeat(90)}`,
      `…"${'a'.repeat(20)}X${'b'.repeat(20)}"… -> …"${'a'.repeat(20)}YY${'b'.repeat(20)}"…`,
    ],
    [
      'long ones with a difference at the start',
      `X${'b'.repeat(90)}`,
      `Y${'b'.repeat(90)}`,
      `"X${'b'.repeat(20)}"… -> "Y${'b'.repeat(20)}"…`,
    ],
    [
      'one that is longer at its end',
      'a'.repeat(90),
      'a'.repeat(95),
      `…"${'a'.repeat(20)}" -> …"${'a'.repeat(25)}"`,
    ],
    [
      'completely different ones',
      'a'.repeat(100),
      'b'.repeat(100),
      `"${'a'.repeat(70)}"… -> "${'b'.repeat(70)}"…`,
    ],
    ['lines', 'one\ntwo\nthree', 'one\nTWO\nthree', 'in line 2: "two" -> "TWO"'],
    ['a line more', 'one', 'one\ntwo', 'in line 2: "" -> "two"'],
    ['a line less', 'one\ntwo', 'one', 'in line 2: "two" -> ""'],
  ] as const) {
    it(`are shown: ${what}`, () => assert.equal(changedText(from, to), text))
  }

  it('are cut alone, too', () => {
    assert.equal(quoted('a'), '"a"')
    assert.equal(quoted('a\nb'), '"a"…')
    assert.equal(quoted('a'.repeat(71)), `"${'a'.repeat(70)}"…`)
  })
})
