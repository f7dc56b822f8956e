import assert from 'node:assert/strict'
import { parseFilters, type StoreItem } from '#cache'
import { TsbuildError } from '#core'

const NOW = Date.parse('2026-06-15T12:00:00Z')
const HOUR = 3_600_000

function item(fields: Partial<StoreItem>): StoreItem {
  return {
    ...{ id: 'abcdef123456', type: 'regular', description: 'RUN make', label: '', bytes: 1 },
    ...{ createdAt: NOW, lastUsedAt: NOW - 30 * HOUR, seconds: 1, isMutable: false },
    ...{ isInUse: false, isFixed: false, images: [], children: [], parents: ['parent1234'] },
    contents: { paths: [], common: new Map(), layer: undefined, lock: undefined },
    ...fields,
  }
}

describe('filters', () => {
  const mount = { type: 'exec.cachemount', label: '/npm', isMutable: true } as const
  const cases: readonly (readonly [string, Partial<StoreItem>, Partial<StoreItem>])[] = [
    ['until=24h', {}, { lastUsedAt: NOW - 20 * HOUR }],
    ['until=1d5h30m', {}, { lastUsedAt: NOW - 29 * HOUR }],
    ['unused-for=90m', {}, { lastUsedAt: NOW - HOUR }],
    ['until=2026-06-14T12:00:00Z', {}, { lastUsedAt: NOW }],
    [`until=${NOW / 1000 - 86_400}`, {}, { lastUsedAt: NOW }],
    ['id=abcdef123456', {}, { id: 'abcdef12345' }],
    ['id=abcd', {}, { id: 'bcde' }],
    ['id=npm', mount, { ...mount, label: '/yarn' }],
    ['id=/npm', mount, {}],
    ['id!=abcd', { id: 'bcde' }, {}],
    ['id~=^ab.*56$', {}, { id: 'ab' }],
    ['type=exec.cachemount', mount, {}],
    ['type!=exec.cachemount', {}, mount],
    ['type~=^source', { type: 'source.local' }, {}],
    ['description=RUN make', {}, { description: 'RUN make all' }],
    ['description~=make', {}, { description: 'RUN true' }],
    ['parents=parent1234', {}, { parents: [] }],
    ['inuse', { isInUse: true }, {}],
    ['inuse=false', {}, { isInUse: true }],
    ['inuse!=true', {}, { isInUse: true }],
    ['mutable', { isMutable: true }, {}],
    ['immutable', {}, { isMutable: true }],
    ['shared', { images: ['a'] }, {}],
    ['private=true', {}, { images: ['a'] }],
  ]

  for (const [text, passing, failing] of cases) {
    it(`pass what they name: ${text}`, () => {
      const passes = parseFilters([text], NOW)
      assert.equal(passes(item(passing)), true)
      assert.equal(passes(item(failing)), false)
    })
  }

  it('have all to be passed, and none passes everything', () => {
    assert.equal(parseFilters([], NOW)(item({})), true)
    const both = parseFilters(['type=regular', 'until=24h'], NOW)
    assert.equal(both(item({})), true)
    assert.equal(both(item({ lastUsedAt: NOW })), false)
    assert.equal(both(item({ type: 'internal' })), false)
  })

  const mistakes: readonly (readonly [string, RegExp])[] = [
    ['', /^filters are for until, /],
    ['unti=24h', /did you mean until\?/],
    ['until', /until=24h/],
    ['until!=24h', /until=24h/],
    ['until=24', /a duration such as 24h/],
    ['until=yesterday', /a duration such as 24h/],
    ['type', /type=VALUE/],
    ['type=exec.cachemont', /did you mean exec\.cachemount\?/],
    ['type=nonsense', /choose one of regular, /],
    ['id~=(', /regular expression/],
    ['inuse=maybe', /inuse=true or inuse=false/],
    ['inuse~=t', /write inuse/],
    ['=x', /^filters are for /],
  ]
  for (const [text, hint] of mistakes) {
    it(`that say nothing are refused with a hint: ${JSON.stringify(text)}`, () => {
      assert.throws(
        () => parseFilters([text], NOW),
        (error) => {
          assert.ok(error instanceof TsbuildError)
          assert.equal(error.code, 'USAGE')
          assert.match(error.message, /^invalid filter "/)
          assert.match(error.hint ?? '', hint)
          return true
        },
      )
    })
  }
})
