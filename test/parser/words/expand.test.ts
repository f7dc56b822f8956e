import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { TsbuildError } from '#core'
import { type ExpandOptions, expandWord, expandWords } from '#parser'
import { FIXTURES } from '../fixtures.ts'

interface Case {
  readonly mode: string
  readonly input: string
  readonly result: string
  readonly options: ExpandOptions
}

describe('expandWord and expandWords', () => {
  const cases = readCases(readFileSync(`${FIXTURES}/expand.txt`, 'utf8'))

  it('has cases', () => assert.ok(cases.length > 150))

  for (const { mode, input, result, options } of cases) {
    it(`${mode} ${input}`, () => {
      if (mode === 'word') assert.equal(expandWord(input, options), result)
      else if (mode === 'words') assert.equal(show(expandWords(input, options)), result)
      else {
        const message = `failed to process ${JSON.stringify(input)}: ${result}`
        assert.throws(() => expandWord(input, options), { code: 'DOCKERFILE_INVALID', message })
      }
    })
  }

  it('gives a hint, and only the decisive mistake', () => {
    const lookup = (): undefined => undefined
    for (const [raw, hint] of [
      [`"$\{x`, /^write \$\{NAME\}, or `\$ for/],
      [`$\{}`, /^write \$\{NAME\}/],
      [`$\{x^}`, /^close the braces/],
      [`$\{x#\\a}`, /^in a pattern/],
      [`$\{x/a}`, /^write \$\{NAME\/PATTERN\/REPLACEMENT\}/],
      [`a'b`, /^close the quote, or put ` in front/],
      [`$\{x:?own words}`, /^undefined$/],
    ] as const) {
      assert.throws(
        () => expandWord(raw, { lookup, escape: '`' }),
        (error: TsbuildError) => {
          assert.match(String(error.hint), hint, raw)
          assert.ok(error.cause instanceof SyntaxError)
          // Causes are printed.
          return error.cause.cause === undefined || raw.includes('#')
        },
      )
    }
  })

  it('reports variables without value and fallback', () => {
    const seen: string[] = []
    const lookup = (name: string): string | undefined => (name === 'set' ? 'x' : undefined)
    const raw = `$a $\{b} $\{c:-x} $\{d+x} $set $\{e#x} $\{f/x/y} "$g" $$ $\{set:-$h} $\{i:+$i} $\{j:-$k}`
    expandWord(raw, { lookup, onUndefined: (name) => seen.push(name) })
    assert.deepEqual(seen, ['a', 'b', 'e', 'f', 'g', '$', 'k'])
  })

  it('takes a byte order mark in front of a word or a pattern for none', () => {
    const lookup = (): string => '\ufeffa\ufeff'
    assert.equal(expandWord('\ufeffx', { lookup }), 'x')
    assert.equal(expandWord('x\ufeff', { lookup }), 'x\ufeff')
    assert.equal(expandWord('\ufeff"\ufeffx"$a', { lookup }), '\ufeffx\ufeffa\ufeff')
    assert.deepEqual(expandWords('\ufeff80 \ufeff81', { lookup }), ['80', '\ufeff81'])
    assert.equal(expandWord(`$\{a/\ufeffa/b}`, { lookup }), '\ufeffb\ufeff')
    assert.equal(expandWord(`$\{a%a\ufeff}`, { lookup }), '\ufeffa\ufeff')
  })

  it('limits what comes out', () => {
    const lookup = (): string => 'x'.repeat(400_000)
    const message = /result is too long/
    assert.equal(expandWord('$a$a', { lookup }).length, 800_000)
    assert.throws(() => expandWord('$a$a$a', { lookup }), { code: 'DOCKERFILE_INVALID', message })
    assert.throws(() => expandWord('"$a$a$a"', { lookup }), { message })
    const large = (): string => 'x'.repeat(2000)
    assert.throws(() => expandWord(`$\{a//x/$a}`, { lookup: large }), { message })
  })

  it('limits what is computed on the way', () => {
    const long = 'x'.repeat(1_000_000)
    const lookup = (name: string): string | undefined => (name === 'a' ? long : undefined)
    const word = `$\{n:+x$a}`.repeat(20)
    assert.throws(() => expandWord(word, { lookup }), /expansion takes too long/)
    const slow = `$\{a#*${'x'.repeat(100)}y}`
    assert.throws(() => expandWord(slow, { lookup }), /pattern matching takes too long/)
  })

  it('nests as deep as the text is long', () => {
    const lookup = (): undefined => undefined
    for (const depth of [1, 100, 10_000]) {
      assert.equal(expandWord(`${'${a:-'.repeat(depth)}x${'}'.repeat(depth)}`, { lookup }), 'x')
      const quoted = `${'"${a:-'.repeat(depth)}x${'}"'.repeat(depth)}`
      assert.equal(expandWord(quoted, { lookup }), 'x')
      assert.throws(() => expandWord('${a:-'.repeat(depth), { lookup }), /missing '}'/)
    }
  })
})

function show(words: readonly string[]): string {
  return words.map((word) => `[${word}]`).join(' ')
}

function quotesOf(name: string): ExpandOptions['quotes'] {
  return name === 'show' || name === 'ignore' ? name : 'remove'
}

/** The table's format is described in its first lines. */
function readCases(table: string): readonly Case[] {
  const variables = new Map<string, string>()
  let settings: Pick<ExpandOptions, 'escape' | 'quotes' | 'unset'> = {}
  return table.split('\n').flatMap((written) => {
    const line = written.replaceAll('␊', '\n')
    const [mode = '', name = '', ...rest] = line.split(' ')
    if (mode === 'set') variables.set(name, rest.join(' '))
    if (mode === 'escape') settings = { ...settings, escape: name === '`' ? '`' : '\\' }
    if (mode === 'unset') settings = { ...settings, unset: name === 'keep' ? 'keep' : 'empty' }
    if (mode === 'quotes') settings = { ...settings, quotes: quotesOf(name) }
    if (!['word', 'words', 'error'].includes(mode)) return []
    const arrow = line.lastIndexOf('=>')
    const result = line.slice(arrow + 3)
    const options = { ...settings, lookup: (key: string) => variables.get(key) }
    return [{ mode, input: line.slice(7, arrow - 1), result, options }]
  })
}
