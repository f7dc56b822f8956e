import assert from 'node:assert/strict'
import {
  booleanFilter,
  matchesAny,
  matchesLabels,
  nameFilter,
  parseFilters,
  untilFilter,
} from '#engine/model'

const KNOWN = ['label', 'label!', 'name']

describe('filters of a query', () => {
  it('are lists, or maps of old clients', () => {
    const forms = ['{"name":["a","b"]}', '{"name":{"a":true,"b":true,"c":false}}']
    for (const form of forms) assert.deepEqual(parseFilters(form, KNOWN).get('name'), ['a', 'b'])
  })

  it('may be absent', () => {
    for (const text of [undefined, '', '{}']) assert.equal(parseFilters(text, KNOWN).size, 0)
  })

  it('that are malformed or unknown are refused', () => {
    for (const text of ['[]', '{', '"x"', '{"name":"a"}', '{"nothing":["x"]}']) {
      assert.throws(() => parseFilters(text, KNOWN), { code: 'USAGE' }, text)
    }
  })

  it('have all labels, and none of those that are negated', () => {
    const fits = (filters: Record<string, readonly string[]>): boolean =>
      matchesLabels(new Map(Object.entries(filters)), { a: '1', b: 'x=y' })
    assert.ok(fits({ label: ['a', 'b=x=y'] }))
    assert.ok(!fits({ label: ['a', 'b=x'] }))
    assert.ok(!fits({ label: ['toString'] }))
    assert.ok(!fits({ 'label!': ['a=1'] }))
    assert.ok(fits({ 'label!': ['a=2', 'c'] }))
  })

  it('fit where one of their values does', () => {
    const filters = new Map([['name', ['a', 'b']]])
    assert.ok(matchesAny(filters, 'name', (value) => value === 'b'))
    assert.ok(!matchesAny(filters, 'name', (value) => value === 'c'))
    assert.ok(matchesAny(filters, 'status', () => false))
  })

  const named = (wanted: string, ...names: readonly string[]): boolean =>
    nameFilter(new Map([['name', [wanted]]]))(...names)

  it('name a part of a name, or a pattern', () => {
    const fitting = ['web', 'eb-1', '^web', '1$', '^(web|db)-[0-9]+$', '^/web-1$', 'w.b', '']
    for (const wanted of fitting) assert.ok(named(wanted, 'web-1', '/web-1'), wanted)
    for (const wanted of ['^eb', 'web-1.', '^(api|db)', '(', '[', '*']) {
      assert.ok(!named(wanted, 'web-1', '/web-1'), wanted)
    }
    assert.ok(named('(', 'a(b'))
    assert.ok(nameFilter(new Map())('anything'))
  })

  it('name patterns that need little time only', () => {
    const name = 'a'.repeat(200)
    const slow = [
      '^(a+)+$',
      '^(a|a)*b',
      '(.*)\\1b',
      'a*a*a*a*b',
      `${'a?'.repeat(40)}b`,
      `${'(a|a)'.repeat(19)}b`,
    ]
    for (const wanted of slow) assert.ok(!named(wanted, name), wanted)
  })

  it('are true or false in docker’s four words', () => {
    const value = (...values: readonly string[]): boolean | undefined =>
      booleanFilter(new Map([['dangling', values]]), 'dangling')
    assert.deepEqual(
      [value('true'), value('1'), value('false'), value('0'), value()],
      [true, true, false, false, undefined],
    )
    for (const values of [['TRUE'], ['yes'], ['true', 'false']]) {
      assert.throws(() => value(...values), {
        code: 'USAGE',
        message: `invalid filter 'dangling=[${values.join(' ')}]'`,
      })
    }
  })

  it('say one moment before which things were made', () => {
    const until = (...values: readonly string[]) => untilFilter(new Map([['until', values]]))
    assert.ok(until('10')(9_999_999_999n))
    assert.ok(!until('10')(10_000_000_000n))
    assert.ok(!until('10')(undefined))
    assert.ok(until()(undefined))
    assert.throws(() => until('1', '2'), { message: 'more than one until filter specified' })
  })
})
