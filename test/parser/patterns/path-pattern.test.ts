import assert from 'node:assert/strict'
import { hasWildcards, matchPath, pathMatcher } from '#parser'
import { cleanPath } from '../../../parser/patterns/path-pattern.ts'

const MATCHES = [
  ['abc', 'abc'],
  ['*', 'abc'],
  ['*', ''],
  ['*c', 'abc'],
  ['a*', 'a'],
  ['a*/b', 'abc/b'],
  ['a*b*c*d*e*/f', 'axbxcxdxexxx/f'],
  ['a*b?c*x', 'abxbbxdbxebxczzx'],
  ['ab[b-d]', 'abc'],
  ['ab[^e-g]', 'abc'],
  ['a\\*b', 'a*b'],
  ['a?b', 'a☺b'],
  ['a[^a]b', 'a☺b'],
  ['[a-ζ]*', 'α'],
  ['[\\]a]', ']'],
  ['[\\-x]', '-'],
  ['[a-c][x-z]', 'by'],
  ['*x', 'xxx'],
] as const

const MISSES = [
  ['a*', 'ab/c'],
  ['a*/b', 'a/c/b'],
  ['a?b', 'a/b'],
  ['a*b', 'a/b'],
  ['a*b*c*d*e*/f', 'axbxcxdxe/xxx/f'],
  ['a*b?c*x', 'abxbbxdbxebxczzy'],
  ['ab[e-g]', 'abc'],
  ['ab[^c]', 'abc'],
  ['a???b', 'a☺b'],
  ['*[a-ζ]', 'A'],
  ['[x\\-]', 'z'],
  ['abc', 'ab'],
  ['', 'a'],
  ['**', 'a/b'],
] as const

describe('matchPath', () => {
  for (const [pattern, path] of MATCHES) {
    it(`${pattern} matches ${path}`, () => assert.equal(matchPath(pattern, path), true))
  }
  for (const [pattern, path] of MISSES) {
    it(`${pattern} does not match ${path}`, () => assert.equal(matchPath(pattern, path), false))
  }

  it('refuses malformed patterns', () => {
    for (const pattern of ['[]a]', '[-]', '[x-]', '[-x]', '\\', '[a-b-c]', '[', '[^', 'a[']) {
      assert.throws(() => pathMatcher(pattern), {
        code: 'DOCKERFILE_INVALID',
        message: `syntax error in pattern: ${JSON.stringify(pattern)}`,
      })
    }
  })
})

describe('hasWildcards', () => {
  it('sees only what is not escaped', () => {
    const paths = ['a', 'a*', '?', '[', '\\*', '\\\\*', 'a]', '\\']
    assert.deepEqual(paths.filter(hasWildcards), ['a*', '?', '[', '\\\\*'])
  })
})

describe('cleanPath', () => {
  it('does what filepath.Clean does', () => {
    const cases = { '': '.', '.': '.', './a//b/': 'a/b', 'a/../b': 'b', '../a': '../a' }
    const rooted = { '/': '/', '/../a': '/a', '//a/./b/..': '/a', 'a/../..': '..' }
    for (const [path, cleaned] of Object.entries({ ...cases, ...rooted })) {
      assert.equal(cleanPath(path), cleaned)
    }
  })
})
