import assert from 'node:assert/strict'
import { parseFlags } from '../../../cli/arguments/flags.ts'
import { type KanikoContext, parseKanikoContext } from '../../../cli/kaniko/kaniko-context.ts'
import { KANIKO_FLAGS } from '../../../cli/kaniko/kaniko-flags.ts'

type Environment = Readonly<Record<string, string>>

function parse(argv: readonly string[], env: Environment = {}): KanikoContext {
  return parseKanikoContext(parseFlags(argv, KANIKO_FLAGS), env)
}

const FOUND: readonly (readonly [readonly string[], KanikoContext])[] = [
  [[], { kind: 'folder', path: '/workspace/' }],
  [['--context=.'], { kind: 'folder', path: '.' }],
  [['-c', 'dir:///a/b'], { kind: 'folder', path: '/a/b' }],
  [['--context', 'tar:///a.tar.gz'], { kind: 'archive', path: '/a.tar.gz' }],
  [['--context', 'tar://stdin'], { kind: 'stdin' }],
  [['--context', '-'], { kind: 'stdin' }],
  [['-c', 'https://h/a.tgz'], { kind: 'address', address: 'https://h/a.tgz' }],
]

/** Contexts, further flags, and the address with its reference; submodules are left out. */
const REPOSITORIES: readonly (readonly [string, readonly string[], string, string])[] = [
  ['git://h/me/app', [], 'git+https://h/me/app', ''],
  ['git://h:8443/me/app.git', [], 'git+https://h:8443/me/app.git', ''],
  ['git://h/a#refs/heads/x', [], 'git+https://h/a', 'refs/heads/x'],
  ['git://h/a#refs/heads/x#c0ffee', [], 'git+https://h/a', 'c0ffee'],
  ['git://h/a#refs/heads/x', ['--git=branch=b'], 'git+https://h/a', 'b'],
  ['git://h/a', ['--git', 'branch=b', '--git', 'single-branch=true'], 'git+https://h/a', 'b'],
]

describe('a context of kaniko', () => {
  for (const [argv, expected] of FOUND) {
    it(`may be ${argv.join(' ') || 'the usual folder'}`, () => {
      assert.deepEqual(parse(argv), expected)
    })
  }

  for (const [text, flags, base, ref] of REPOSITORIES) {
    it(`may be ${text} ${flags.join(' ')}`, () => {
      const expected = new URL(base)
      if (ref !== '') expected.searchParams.set('ref', ref)
      expected.searchParams.set('submodules', 'false')
      expected.searchParams.set('keep-git-dir', 'true')
      const found = parse(['-c', text, ...flags])
      assert.deepEqual(found, { kind: 'address', address: expected.href })
    })
  }

  const addressOf = (context: KanikoContext): string =>
    context.kind === 'address' ? context.address : ''

  it('has submodules on request', () => {
    const found = parse(['-c', 'git://h/a', '--git=recurse-submodules=true'])
    assert.match(addressOf(found), /[?&]submodules=true/)
  })

  it('is reached as the environment says', () => {
    const context = ['-c', 'git://h/a']
    const start = (env: Environment): string => addressOf(parse(context, env)).split('?')[0] ?? ''
    assert.equal(start({ GIT_PULL_METHOD: 'http' }), 'git+http://h/a')
    assert.equal(start({ GIT_PULL_METHOD: 'ssh' }), 'git+https://h/a')
    assert.equal(start({ GIT_USERNAME: 'me', GIT_PASSWORD: 'a/b' }), 'git+https://me:a%2Fb@h/a')
    assert.equal(start({ GIT_TOKEN: 't', GIT_PASSWORD: 'x' }), 'git+https://t@h/a')
  })

  it('is refused where it is none, or cannot be had', () => {
    const codes: readonly (readonly [readonly string[], string])[] = [
      [['--context='], 'USAGE'],
      [['--context=ftp://h/a'], 'USAGE'],
      [['--context=s3://b/a'], 'UNSUPPORTED'],
      [['--context=gs://b/a'], 'UNSUPPORTED'],
      [['--context=git://h/a', '--git=depth=1'], 'USAGE'],
      [['--context=git://h/a', '--git=recurse-submodules=maybe'], 'USAGE'],
      [['--context=git://h/a', '--git=insecure-skip-tls=true'], 'UNSUPPORTED'],
      [['--context=git://'], 'USAGE'],
    ]
    for (const [argv, code] of codes) {
      assert.throws(() => parse(argv), { code }, argv.join(' '))
    }
  })
})
