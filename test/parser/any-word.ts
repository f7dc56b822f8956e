import assert from 'node:assert/strict'
import fc from 'fast-check'
import { TsbuildError } from '#core'
import { type ExpandOptions, expandWord, expandWords } from '#parser'

/** Words that are mostly special characters. */
export const anyWord: fc.Arbitrary<string> = fc
  .array(
    fc.constantFrom(
      ...'$ { } : - + ? # % / // \\ ` " \' * a b _ 1 . 한 ${ ${a ${b:- ${a# ${a/'.split(' '),
      ' ',
    ),
    { maxLength: 25 },
  )
  .map((parts) => parts.join(''))

/** The only variable is `a`. */
export const lookup = (name: string): string | undefined => (name === 'a' ? 'a*b a' : undefined)

/** Ways to expand a word. */
export const OPTIONS: readonly Omit<ExpandOptions, 'lookup'>[] = [
  {},
  { unset: 'keep', quotes: 'show' },
  { quotes: 'ignore' },
  { escape: '`' },
]

/** The word's value; `undefined` when it is refused, in the way that it should be. */
export function attempt(raw: string, options: ExpandOptions): string | undefined {
  try {
    const value = expandWord(raw, options)
    assert.ok(expandWords(raw, options).every((part) => part !== ''))
    assert.equal(typeof value, 'string')
    return value
  } catch (cause) {
    assert.ok(cause instanceof TsbuildError, String(cause))
    assert.equal(cause.code, 'DOCKERFILE_INVALID')
    return undefined
  }
}
