import assert from 'node:assert/strict'
import fc from 'fast-check'
import { ignoreRules } from '#parser'
import { fuzz } from '../../support/random/index.ts'

const part = fc.constantFrom('a', 'b', 'ab', '*', '?', 'a*', '*b', '**', '[ab]', '[^a]', '\\*')
const pattern = fc
  .tuple(fc.boolean(), fc.array(part, { minLength: 1, maxLength: 4 }))
  .map(([isException, parts]) => (isException ? '!' : '') + parts.join('/'))
const path = fc
  .array(fc.constantFrom('a', 'b', 'ab', 'abb', '*', 'c'), { minLength: 1, maxLength: 5 })
  .map((parts) => parts.join('/'))

const inputs = fc.record({ patterns: fc.array(pattern, { maxLength: 5 }), path })

describe('fuzz: patterns of .dockerignore', () => {
  fuzz('F3: decide as regular expressions of the same meaning do', {
    name: 'patterns',
    inputs,
    check: ({ patterns, path }) => {
      assert.equal(ignoreRules(patterns).isIgnored(path), isIgnored(patterns, path))
    },
  })
})

/** The last pattern that matches the path, or a folder above it, decides. */
function isIgnored(patterns: readonly string[], path: string): boolean {
  const names = path.split('/')
  const all = names.map((_, index) => names.slice(0, index + 1).join('/'))
  return patterns.reduce((ignored, pattern) => {
    const isException = pattern.startsWith('!')
    const expression = expressionOf(isException ? pattern.slice(1) : pattern)
    return all.some((one) => expression.test(one)) ? !isException : ignored
  }, false)
}

/** `**` is any number of folders, at the end anything below; `*` and `?` stay within a name. */
function expressionOf(pattern: string): RegExp {
  const names = pattern.split('/')
  const parts = names.map((name, index) => {
    const isLast = index === names.length - 1
    if (name === '**') return isLast ? '.*' : '(?:.*/)?'
    return `${nameExpression(name)}${isLast ? '' : '/'}`
  })
  return new RegExp(`^${parts.join('')}$`)
}

function nameExpression(name: string): string {
  return name.replace(/\\.|\*|\?/g, (one) => {
    if (one === '*') return '[^/]*'
    return one === '?' ? '[^/]' : one
  })
}
