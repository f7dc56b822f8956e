import assert from 'node:assert/strict'
import { ignoreRules, parseDockerignore } from '#parser'

/** Patterns, paths that they ignore, paths that they do not. */
const TABLE: readonly (readonly [string, string, string])[] = [
  ['*.md', 'README.md', 'docs/a.md README.mdx'],
  ['**/*.md', 'README.md docs/a.md a/b/c.md', 'a/md docs'],
  ['docs', 'docs docs/x docs/x/y', 'docsx a/docs'],
  ['/docs', 'docs docs/x/y', 'a/docs'],
  ['docs/', 'docs docs/x/y', 'docsx'],
  ['./docs//x/', 'docs/x docs/x/y', 'docs'],
  ['docs/*', 'docs/x docs/x/y', 'docs'],
  ['docs/**', 'docs/x docs/x/y', 'docs docsx'],
  ['**', 'a a/b .hidden', ''],
  ['*', 'a a/b .hidden', ''],
  ['**/', 'a a/b', ''],
  ['* !src', 'a a/b srcx', 'src src/a/b'],
  ['* !src src/*.log', 'src/x.log a', 'src/a/x.log src'],
  ['*.md !README*.md README-secret.md', 'README-secret.md a.md', 'README.md README-x.md'],
  ['node_modules !node_modules/keep', 'node_modules/a', 'node_modules/keep/x node_modules/keep'],
  ['a?c a[0-9]', 'abc a5', 'a/c ac ax a55'],
  ['\\#file', '#file', 'file'],
  ['foo/../bar', 'bar', 'foo'],
  ['a b', 'a b', 'a'],
  ['**/a', 'a x/a x/y/a x/a/b', 'ba x/ba'],
  ['**a', 'a ba x/ba x/a', 'ab'],
  ['**a*', 'ab x/ab', 'bab'],
  ['a/**/b', 'a/b a/x/b a/x/y/b', 'a/xb b'],
  ['a**', 'a ab a/b ab/c', 'ba'],
  ['a**/*.txt', 'a/f.txt a/b/f.txt', 'b/f.txt'],
  ['**/dir2/**', 'dir/dir2/f dir2/f', 'dir2 dir/dir2'],
  ['**/**/*.txt', 'f.txt a/b/f.txt', 'f.txt2'],
  ['[a-c]x [^a-c]y', 'ax dy', 'dx ay'],
  ['a\\*b', 'a*b', 'axb'],
  ['한*', '한국어', '국'],
  ['a?b', 'a🙂b', 'a🙂🙂b'],
  ['!a', '', 'a b'],
  ['a !a a', 'a a/b', 'b'],
  ['.', '', 'a'],
]

describe('parseDockerignore', () => {
  for (const [patterns, ignored, kept] of TABLE) {
    it(patterns, () => {
      // A space separates patterns and paths, but in the one case that is about it.
      const split = (text: string): string[] => (text === 'a b' ? [text] : text.split(' '))
      const rules = parseDockerignore(split(patterns).join('\n'))
      for (const path of split(ignored)) {
        if (path !== '') assert.equal(rules.isIgnored(path), true, `${path} is to be ignored`)
      }
      for (const path of kept.split(' ')) {
        if (path !== '') assert.equal(rules.isIgnored(path), false, `${path} is to be kept`)
      }
    })
  }

  it('reads byte order marks, comments, blank lines and line ends of any kind', () => {
    const rules = parseDockerignore('\ufeff# comment\r\n\r\n  a  \r\n #b\n! c\n\tc\nd')
    const paths = ['a', 'b', '#b', 'c', 'd', '# comment']
    assert.deepEqual(
      paths.filter((path) => rules.isIgnored(path)),
      ['a', '#b', 'c', 'd'],
    )
  })

  it('ignores nothing without patterns', () => {
    const rules = parseDockerignore('')
    assert.equal(rules.isIgnored('a'), false)
    assert.equal(rules.mayContainIncluded('a'), true)
  })

  it('refuses malformed patterns', () => {
    const message = '.dockerignore line 2: illegal exclusion pattern: "!"'
    assert.throws(() => parseDockerignore('a\n!\n'), { code: 'CONTEXT_INVALID', message })
    for (const pattern of ['[', '[]', '[a', 'a[', '[]a]', '[-]', '[x-]', '[a-b-c]', '\\', '[^']) {
      const syntax = `.dockerignore line 1: syntax error in pattern: ${JSON.stringify(pattern)}`
      assert.throws(() => parseDockerignore(pattern), { code: 'CONTEXT_INVALID', message: syntax })
    }
  })
})

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
