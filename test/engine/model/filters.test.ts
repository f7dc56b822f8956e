import assert from 'node:assert/strict'
import { matchesAny, matchesLabels, parseFilters } from '#engine/model'

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
})
