import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  expandWord,
  ignoreRules,
  matchPath,
  parseDockerfile,
  parseDockerignore,
  parseTrigger,
} from '#parser'
import { changedFile, checkParsing, mixedText } from './any-dockerfile.ts'
import { anyWord, attempt, lookup, OPTIONS } from './any-word.ts'

describe('properties', function () {
  this.timeout(60_000)

  it('parseDockerfile never throws, and its ranges lie in the file', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), checkParsing), { numRuns: 300 })
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), checkParsing), {
      numRuns: 300,
    })
    fc.assert(fc.property(mixedText, checkParsing), { numRuns: 700 })
    fc.assert(fc.property(changedFile, checkParsing), { numRuns: 400 })
  })

  it('parseTrigger never throws', () => {
    const parse = (trigger: string): void => {
      const { instruction, diagnostics } = parseTrigger(trigger)
      assert.equal(
        instruction === undefined,
        diagnostics.some(({ severity }) => severity === 'error'),
      )
    }
    fc.assert(fc.property(mixedText, parse), { numRuns: 500 })
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
    fc.assert(fc.property(anyWord, run), { numRuns: 2000 })
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
    fc.assert(fc.property(anyWord, run), { numRuns: 2000 })
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
