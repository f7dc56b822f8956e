import assert from 'node:assert/strict'
import fc from 'fast-check'
import { cacheKeyOf } from '#cache'
import { canonicalJson, type Json } from '#core'

describe('cache key', () => {
  it('is 64 hex digits and does not change from one version to the next by accident', () => {
    const key = cacheKeyOf({ op: 'exec', args: ['true'] })
    assert.equal(key, '1131559b41258a1d3ce5f7c41f6f2f729081cff9c43be36085f0c917bb1c4cd9')
  })

  it('does not depend on the order of members', () => {
    assert.equal(cacheKeyOf({ a: 1, b: [2] }), cacheKeyOf({ b: [2], a: 1 }))
    assert.notEqual(cacheKeyOf([1, 2]), cacheKeyOf([2, 1]))
  })

  it('differs for different documents', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        const isEqual = canonicalJson(a as Json) === canonicalJson(b as Json)
        assert.equal(cacheKeyOf(a as Json) === cacheKeyOf(b as Json), isEqual)
      }),
    )
  })
})
