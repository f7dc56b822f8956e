import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { TsbuildError } from '#core'
import {
  diagnosticsError,
  type ExpandOptions,
  expandWord,
  expandWords,
  ignoreRules,
  linkStages,
  matchPath,
  parseDockerfile,
  parseDockerignore,
  parseTrigger,
  type SourceRange,
} from '#parser'
import { casesIn } from '../support/golden/index.ts'
import { FIXTURES } from './fixtures.ts'

/** Dockerfiles of programs, and of every case here. */
const corpus = [
  ...['app', 'hello', 'e2e/corners'].map((name) => `${FIXTURES}/../${name}/Dockerfile`),
  ...casesIn(FIXTURES).map((name) => `${FIXTURES}/${name}/Dockerfile`),
  ...casesIn(`${FIXTURES}/invalid`).map((name) => `${FIXTURES}/invalid/${name}/Dockerfile`),
].map((file) => readFileSync(file))

const PIECES = [
  ...['FROM ', 'RUN ', 'COPY ', 'ENV ', 'ARG ', 'ONBUILD ', 'HEALTHCHECK ', 'SHELL ', 'LABEL '],
  ...[
    '\n',
    '\\\n',
    '`\n',
    '\r\n',
    '# escape=`\n',
    '#',
    '<<EOF',
    '<< ',
    '<<-"A B"',
    'EOF',
    '--',
    '--from=',
  ],
  ...[
    '["a", "b"]',
    '[',
    ']',
    '"',
    "'",
    '\\',
    '$x',
    `$\{x:-y}`,
    '=',
    ' ',
    '\t',
    '\u00a0',
    '\0',
    '🙂',
  ],
  ...['--mount=type=bind,from=0', 'CMD', 'NONE', 'AS b', 'a', 'scratch', '\ufeff', '\ud800'],
]

const text = fc.array(fc.constantFrom(...PIECES), { maxLength: 60 }).map((parts) => parts.join(''))

/** A file of the corpus with some bytes changed, removed or doubled. */
const mutated = fc
  .tuple(
    fc.constantFrom(...corpus),
    fc.array(fc.tuple(fc.nat(5000), fc.nat(255), fc.nat(2)), { maxLength: 8 }),
  )
  .map(([bytes, edits]) => {
    let result: Uint8Array = bytes.subarray(0, 5000)
    for (const [place, value, kind] of edits) {
      const at = place % (result.length + 1)
      const cut = kind === 0 ? at + 1 : at
      const repeated = kind === 2 ? result.subarray(at, at + value) : Uint8Array.of(value)
      result = Buffer.concat([result.subarray(0, at), repeated, result.subarray(cut)])
    }
    return result
  })

function check(source: string | Uint8Array): void {
  const { dockerfile, diagnostics } = parseDockerfile(source)
  const shown = typeof source === 'string' ? source : new TextDecoder().decode(source)
  const lines = shown.split('\n').length
  assert.ok(diagnostics.every(({ message }) => !message.includes('mistake in tsbuild')))
  for (const { range, message } of diagnostics) {
    assert.ok(isInside(range, lines), `range of ${message}`)
  }
  const error = diagnosticsError(diagnostics, { filename: 'x', text: shown })
  error?.excerpt()
  for (const { instructions } of dockerfile.stages) {
    for (const { range } of instructions) assert.ok(isInside(range, lines))
  }
  try {
    linkStages(dockerfile, { expand: ({ raw }) => raw })
  } catch (cause) {
    assert.ok(cause instanceof TsbuildError)
  }
}

function isInside({ start, end }: SourceRange, lines: number): boolean {
  const isOrdered = start.line < end.line || (start.line === end.line && start.column <= end.column)
  return isOrdered && start.line >= 1 && start.column >= 1 && end.line <= lines
}

/** Words that are mostly special characters. */
const word = fc
  .array(
    fc.constantFrom(
      ...'$ { } : - + ? # % / // \\ ` " \' * a b _ 1 . 한 ${ ${a ${b:- ${a# ${a/'.split(' '),
      ' ',
    ),
    { maxLength: 25 },
  )
  .map((parts) => parts.join(''))

const lookup = (name: string): string | undefined => (name === 'a' ? 'a*b a' : undefined)

const OPTIONS: readonly Omit<ExpandOptions, 'lookup'>[] = [
  {},
  { unset: 'keep', quotes: 'show' },
  { quotes: 'ignore' },
  { escape: '`' },
]

/** The word's value; `undefined` when it is refused, in the way that it should be. */
function attempt(raw: string, options: ExpandOptions): string | undefined {
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

describe('properties', function () {
  this.timeout(60_000)

  it('parseDockerfile never throws, and its ranges lie in the file', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), check), { numRuns: 300 })
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), check), { numRuns: 300 })
    fc.assert(fc.property(text, check), { numRuns: 700 })
    fc.assert(fc.property(mutated, check), { numRuns: 400 })
  })

  it('parseTrigger never throws', () => {
    const parse = (trigger: string): void => {
      const { instruction, diagnostics } = parseTrigger(trigger)
      assert.equal(
        instruction === undefined,
        diagnostics.some(({ severity }) => severity === 'error'),
      )
    }
    fc.assert(fc.property(text, parse), { numRuns: 500 })
  })

  it('a JSON array of strings comes back as it was', () => {
    const strings = fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 5 })
    const roundTrip = (args: readonly string[]): void => {
      const { dockerfile, diagnostics } = parseDockerfile(`FROM a\nCMD ${JSON.stringify(args)}\n`)
      assert.deepEqual(diagnostics, [])
      const [cmd] = dockerfile.stages[0]?.instructions ?? []
      assert.ok(cmd?.kind === 'cmd')
      assert.deepEqual(cmd.command, { form: 'exec', args })
    }
    fc.assert(fc.property(strings, roundTrip), { numRuns: 200 })
  })

  it('expansion fails with typed errors only', () => {
    const run = (raw: string): void => {
      const results = OPTIONS.map((options) => attempt(raw, { ...options, lookup }))
      // Only a variable that has to be set makes a difference.
      const [removed, shown] = results
      assert.ok(shown !== undefined || removed === undefined)
    }
    fc.assert(fc.property(word, run), { numRuns: 2000 })
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 50 }), run), { numRuns: 500 })
  })

  it('expansion leaves text without special characters alone, and any text in quotes', () => {
    const special = /["'$\\]/g
    const check = (raw: string): void => {
      const plain = raw.replace(special, '')
      assert.equal(expandWord(plain, { lookup }), plain)
      assert.equal(expandWord(`${plain}$none`, { lookup }), plain)
      assert.equal(expandWord(`$\{none:-"${plain}"}`, { lookup }), plain)
      assert.equal(expandWord(`"${raw.replace(/["$\\]/g, '\\$&')}"`, { lookup }), raw)
    }
    fc.assert(fc.property(fc.string({ unit: 'binary' }), check), { numRuns: 500 })
  })

  it('expansion does with one escape character what it does with the other', () => {
    const swap = (text: string): string =>
      text.replace(/[\\`]/g, (char) => (char === '`' ? '\\' : '`'))
    const outcome = (raw: string, mark: '`' | '\\'): string | undefined =>
      attempt(raw, { escape: mark, lookup: (name) => (name === 'a' ? 'x y' : undefined) })
    const run = (raw: string): void => {
      // In patterns it is always the backslash that escapes.
      const plain = raw.replace(/[#%/]/g, '')
      const swapped = outcome(swap(plain), '`')
      assert.equal(outcome(plain, '\\'), swapped === undefined ? undefined : swap(swapped))
    }
    fc.assert(fc.property(word, run), { numRuns: 2000 })
  })

  it('a path matches its own escaped self, and ignore rules agree with plain patterns', () => {
    const path = fc
      .array(fc.stringMatching(/^[a-z*?[\]\\^ -]{1,6}$/), { minLength: 1, maxLength: 4 })
      .map((parts) => parts.map((part) => `x${part}x`).join('/'))
    const escaped = (raw: string): string => raw.replace(/[*?[\]\\]/g, '\\$&')
    fc.assert(
      fc.property(path, (raw) => {
        assert.equal(matchPath(escaped(raw), raw), true)
        assert.equal(ignoreRules([escaped(raw)]).isIgnored(raw), true)
        assert.equal(ignoreRules(['**', `!${escaped(raw)}`]).isIgnored(raw), false)
        const parent = raw.slice(0, Math.max(raw.lastIndexOf('/'), 0))
        const rules = ignoreRules(['**', `!${escaped(raw)}`])
        assert.ok(parent === '' || rules.mayContainIncluded(parent))
      }),
      { numRuns: 500 },
    )
  })

  it('an ignored directory that need not be walked holds nothing that is included', () => {
    const part = fc.constantFrom('a', 'b', '*', '**', 'a*', '?')
    const pattern = fc
      .tuple(fc.boolean(), fc.array(part, { minLength: 1, maxLength: 3 }))
      .map(([isException, parts]) => (isException ? '!' : '') + parts.join('/'))
    const segment = fc.constantFrom('a', 'b', 'ab', 'c')
    const path = fc.array(segment, { minLength: 2, maxLength: 4 })
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 4 }), path, (patterns, parts) => {
        const rules = parseDockerignore(patterns.join('\n'))
        const dir = parts.slice(0, -1).join('/')
        if (!rules.mayContainIncluded(dir)) assert.ok(rules.isIgnored(parts.join('/')))
      }),
      { numRuns: 3000 },
    )
  })
})
