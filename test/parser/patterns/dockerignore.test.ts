import assert from 'node:assert/strict'
import { ignoreRules, parseDockerignore } from '#parser'
import { readIgnoreCases } from '../../support/ignore-cases/index.ts'

describe('parseDockerignore', () => {
  const cases = readIgnoreCases()

  it('has cases', () => assert.ok(cases.length > 70))

  for (const { name, text, ignored, kept, error } of cases) {
    it(name, () => {
      if (error !== undefined) {
        assert.throws(() => parseDockerignore(text), { code: 'CONTEXT_INVALID', message: error })
        return
      }
      const rules = parseDockerignore(text)
      assert.ok(ignored.length + kept.length > 0)
      const verdicts = [...ignored, ...kept].map((path) => [path, rules.isIgnored(path)])
      assert.deepEqual(verdicts, [
        ...ignored.map((path) => [path, true]),
        ...kept.map((path) => [path, false]),
      ])
      // A walk through the context must reach everything that is kept.
      for (const path of kept) {
        for (const parent of parentsOf(path)) assert.ok(rules.mayContainIncluded(parent), parent)
      }
    })
  }

  it('ignores nothing without patterns', () => {
    const rules = parseDockerignore('')
    assert.equal(rules.isIgnored('a'), false)
    assert.equal(rules.mayContainIncluded('a'), true)
    assert.equal(rules.decidingRule('a'), undefined)
  })

  it('names the lines that match, and the one that decides', () => {
    const rules = parseDockerignore('# all\n*\n\n !src \nsrc/*.log\n')
    const lines = (path: string) => rules.matchingRules(path).map(({ line }) => line)
    assert.deepEqual(lines('src/a.log'), [2, 4, 5])
    assert.deepEqual(lines('src/a'), [2, 4])
    assert.deepEqual(lines('x'), [2])
    const { pattern, line, isException } = rules.decidingRule('src/a') ?? {}
    assert.deepEqual(
      { pattern, line, isException },
      { pattern: '!src', line: 4, isException: true },
    )
    assert.deepEqual(
      rules.rules.map((rule) => rule.line),
      [2, 4, 5],
    )
  })

  it('names the file that is refused', () => {
    const message = 'x/Dockerfile.dockerignore line 2: illegal exclusion pattern: "!"'
    assert.throws(() => parseDockerignore('a\n!\n', 'x/Dockerfile.dockerignore'), { message })
  })

  it('takes lines of 65,535 bytes and no longer ones', () => {
    const long = `a${'ß'.repeat(32_767)}`
    assert.equal(parseDockerignore(long).isIgnored(long), true)
    assert.throws(() => parseDockerignore(`b\n${long}c`), {
      code: 'CONTEXT_INVALID',
      message: '.dockerignore line 2: longer than 65535 bytes',
    })
  })
})

function parentsOf(path: string): readonly string[] {
  const parts = path.split('/')
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'))
}

describe('ignoreRules', () => {
  it('takes patterns as they are, a # too', () => {
    const rules = ignoreRules(['#a', '*.log', '!keep.log', ' '])
    const paths = ['#a', 'x.log', 'keep.log', 'b']
    assert.deepEqual(
      paths.map((path) => rules.isIgnored(path)),
      [true, true, false, false],
    )
    assert.throws(() => ignoreRules(['[']), { code: 'DOCKERFILE_INVALID' })
  })
})

describe('mayContainIncluded', () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['node_modules', 'node_modules', false],
    ['node_modules', 'node_modules/a', false],
    ['node_modules', 'src', true],
    ['node_modules !node_modules/keep', 'node_modules', true],
    ['node_modules !node_modules/keep', 'node_modules/keep', true],
    ['node_modules !node_modules/keep', 'node_modules/other', false],
    ['* !src/a/b', 'src', true],
    ['* !src/a/b', 'src/a', true],
    ['* !src/a/b', 'src/x', false],
    ['* !src/a/b', 'other', false],
    ['* !**/*.ts', 'any/where', true],
    ['* !src*', 'source', false],
    ['* !src/*/x', 'src/a', true],
    ['* !src/*/x', 'src/a/b', false],
    ['!src/a src', 'src', false],
    ['* !src src', 'src', false],
    ['src !src/a src', 'src/a', false],
  ]
  for (const [patterns, dir, expected] of cases) {
    it(`${patterns}: ${dir}`, () => {
      const rules = parseDockerignore(patterns.replaceAll(' ', '\n'))
      assert.equal(rules.mayContainIncluded(dir), expected)
    })
  }
})
