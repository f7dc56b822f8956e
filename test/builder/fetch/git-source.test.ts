import assert from 'node:assert/strict'
import { type GitSource, gitSourceName, parseGitSource, withGitFlags } from '#builder/fetch'

const COMMIT = 'a'.repeat(40)
const https = 'https://h/r.git'

const GOOD: Readonly<Record<string, GitSource>> = {
  'https://h/r.git': { remote: https },
  'http://h:8080/a/r.git': { remote: 'http://h:8080/a/r.git' },
  'https://u:p%40@h/r.git': { remote: https, credentials: 'u:p@' },
  'https://h/r.git#main': { remote: https, ref: 'main' },
  'https://h/r.git#feature/x:a/./b//c/': { remote: https, ref: 'feature/x', subdir: 'a/b/c' },
  'https://h/r.git#:a': { remote: https, subdir: 'a' },
  'https://h/r.git#main:/': { remote: https, ref: 'main' },
  'https://h/r.git?branch=x&subdir=a': { remote: https, ref: 'refs/heads/x', subdir: 'a' },
  'https://h/r.git?tag=v1&keep-git-dir': { remote: https, ref: 'refs/tags/v1', keepGitDir: true },
  'https://h/r.git?ref=main#main': { remote: https, ref: 'main' },
  'https://h/r.git?submodules=0&mtime=commit': {
    remote: https,
    submodules: false,
    mtime: 'commit',
  },
  [`https://h/r.git?commit=${COMMIT}`]: { remote: https, checksum: COMMIT },
  [`https://h/r.git?fetch-by-commit&commit=${COMMIT}`]: {
    ...{ remote: https, fetchByCommit: true, ref: COMMIT, checksum: COMMIT },
  },
  'https://h/r.git#main:../../x/../y/': { remote: https, ref: 'main', subdir: 'y' },
  'https://h/r.git#:..': { remote: https },
  'https://h/r.git?fetch-by-commit=true': { remote: https, fetchByCommit: true },
  'git://h/r': { remote: 'git://h/r' },
  'ssh://git@h:2222/r#v1': { remote: 'ssh://git@h:2222/r', ref: 'v1' },
  'git@h:a/r.git': { remote: 'git@h:a/r.git' },
  'git@h:a/r#main:d': { remote: 'git@h:a/r', ref: 'main', subdir: 'd' },
  'git@h:a/r?branch=b': { remote: 'git@h:a/r', ref: 'refs/heads/b' },
}

const BAD: Readonly<Record<string, RegExp>> = {
  'https://h/r.git#-btest:x': /"-btest" is not a ref/,
  'https://h/r.git#--upload-pack=x': /is not a ref/,
  'https://h/r.git#a b': /is not a ref/,
  'https://h/r.git#a..b': /is not a ref/,
  'https://h/r.git#+main^': /is not a ref/,
  'https://h/r.git#main:x/../.git': /is not a folder/,
  'https://h/r.git#main:.git': /is not a folder/,
  'https://h/r.git?x=1': /unexpected query "x"/,
  'https://h/r.git?ref=': /query "ref" has no value/,
  'https://h/r.git?ref=a&ref=b': /query "ref" has multiple values/,
  'https://h/r.git?ref=a#b': /ref conflicts: "b" vs "a"/,
  'https://h/r.git?subdir=a#:b': /subdir conflicts: "b" vs "a"/,
  'https://h/r.git?branch=a&tag=b': /branch conflicts with tag/,
  'https://h/r.git?keep-git-dir=maybe': /invalid keep-git-dir value: "maybe"/,
  'https://h/r.git?mtime=now': /invalid mtime value/,
  'https://h/r.git?commit=xyz': /"xyz" is not a commit hash/,
  'git://-oProxyCommand=x/r': /is not a/,
  'ssh://-oProxyCommand=x/r': /is not a/,
  'ssh://-x@h/r': /is not a/,
  'ssh://h/-r': /is not a/,
  'git@h:-r': /is not a/,
  '-git@h:r': /is not a/,
}

describe('the source of a repository', () => {
  for (const [text, source] of Object.entries(GOOD)) {
    it(text, () => assert.deepEqual(parseGitSource(text), source))
  }

  for (const [text, message] of Object.entries(BAD)) {
    it(`refuses ${text}`, () => {
      assert.throws(() => parseGitSource(text), { code: 'DOCKERFILE_INVALID', message })
    })
  }

  it('is undefined for other texts', () => {
    const texts = [
      'a',
      './git@h:r',
      'https://h/r',
      'https://h/r.git/x',
      'ext::sh -c x',
      'file:///r',
    ]
    for (const text of [...texts, 'github.com/u/r', 'a@b']) {
      assert.equal(parseGitSource(text), undefined, text)
    }
    assert.deepEqual(parseGitSource('github.com/u/r#x', { allowShort: true }), {
      remote: 'https://github.com/u/r',
      ref: 'x',
    })
    assert.equal(parseGitSource('git+https://h/r'), undefined)
    assert.deepEqual(parseGitSource('git+https://u:p@h/_git/r?ref=x', { allowShort: true }), {
      remote: 'https://h/_git/r',
      credentials: 'u:p',
      ref: 'x',
    })
  })

  it('takes flags, which must not disagree with it', () => {
    const source = { remote: https, keepGitDir: false, checksum: COMMIT }
    assert.throws(() => withGitFlags(source, { keepGitDir: true }), {
      message: 'inconsistent keep-git-dir configuration',
    })
    assert.throws(() => withGitFlags(source, { checksum: 'b'.repeat(40) }), {
      message: `checksum mismatch "${COMMIT}" != "${'b'.repeat(40)}"`,
    })
    assert.throws(() => withGitFlags({ remote: https }, { checksum: 'sha256:00' }), {
      message: 'invalid checksum "sha256:00"',
    })
    assert.deepEqual(withGitFlags({ remote: https }, { checksum: COMMIT, keepGitDir: true }), {
      remote: https,
      checksum: COMMIT,
      keepGitDir: true,
    })
  })

  it('is shown without password', () => {
    const source = parseGitSource('https://u:secret@h/r.git#main:d')
    assert.ok(source)
    assert.equal(gitSourceName(source), 'https://h/r.git#main:d')
    assert.throws(
      () => parseGitSource('https://u:secret@h/r.git#-x'),
      (error: Error) => {
        return !error.message.includes('secret')
      },
    )
  })
})
