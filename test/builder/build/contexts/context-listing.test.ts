import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { ContextSummary, listContext } from '#builder'
import { Workplace } from '../support/workplace.ts'

describe('what a context holds', () => {
  let at: Workplace
  beforeEach(async () => {
    at = await Workplace.open()
  })
  afterEach(() => at[Symbol.asyncDispose]())

  const context = (): string => at.path('context')
  const paths = (options: { file?: string; dockerfile?: string } = {}): readonly string[] => {
    using listing = listContext({ context: context(), ...options })
    return [...listing.entries()].map(({ path, type }) =>
      type === 'directory' ? `${path}/` : path,
    )
  }
  const refused = (message: RegExp, options: { file?: string } = {}): void => {
    assert.throws(() => paths(options), { code: 'CONTEXT_INVALID', message })
  }

  it('is listed in order, folders before what is in them, with the rule that keeps an entry', () => {
    at.put({ 'src/b.c': 'four', 'src/a.o': '', 'src/a/x': '1', top: '22', '.dockerignore': '' })
    writeFileSync(at.path('context/.dockerignore'), '*\n!src\n**/*.o\n')
    symlinkSync('/etc', at.path('context/src/link'))
    using listing = listContext({ context: context(), dockerfile: '' })
    const entries = [...listing.entries()].map(({ path, type, size, rule }) => [
      path,
      type,
      size,
      rule?.line,
    ])
    assert.deepEqual(entries, [
      ['src', 'directory', 0, 2],
      ['src/a', 'directory', 0, 2],
      ['src/a/x', 'file', 1, 2],
      ['src/b.c', 'file', 4, 2],
      ['src/link', 'symlink', 0, 2],
    ])
    const decided = listing.rules.map(([{ pattern }, count]) => [pattern, count])
    assert.deepEqual(decided, [
      ['*', 2],
      ['!src', 5],
      ['**/*.o', 1],
    ])
  })

  it('has an ignored folder only where something in it is included', () => {
    at.put({ 'a/b/keep': '', 'a/b/drop': '', 'a/c/drop': '', '.dockerignore': 'a\n!a/*/keep\n' })
    assert.deepEqual(paths(), ['.dockerignore', 'a/', 'a/b/', 'a/b/keep'])
  })

  it('reads nothing: names are enough', () => {
    at.put({ a: 'A' })
    execFileSync('mkfifo', [at.path('context/fifo')])
    assert.deepEqual(paths(), ['a', 'fifo'])
  })

  it('has sockets, which COPY makes empty files of', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(at.path('context/sock'), resolve))
    assert.deepEqual(paths(), ['sock'])
    using listing = listContext({ context: context() })
    assert.equal(listing.explain('sock').verdict, 'included')
    await new Promise((resolve) => server.close(resolve))
  })

  it('has no store, whatever leads to it', () => {
    at.put({ 'd/store/blobs/x': '', 'd/stored': '' })
    symlinkSync(at.path('context/d/store'), at.path('link'))
    for (const root of [at.path('context/d/store'), at.path('link')]) {
      using listing = listContext({ context: context(), root })
      assert.deepEqual(
        [...listing.entries()].map(({ path }) => path),
        ['d', 'd/stored'],
      )
      assert.equal(listing.explain('d/store').verdict, 'store')
      assert.equal(listing.explain('d/store/blobs/x').verdict, 'store')
      assert.equal(listing.explain('d/none').verdict, 'included')
    }
  })

  describe('the ignore file', () => {
    const put = (files: Readonly<Record<string, string>>): void => {
      at.put({ a: '', b: '', c: '', 'd/e': '', ...files })
    }
    const kept = (options?: Parameters<typeof paths>[0]): string =>
      paths(options)
        .filter((path) => /^[abc]$/.test(path))
        .join('')

    it("of the Dockerfile wins, an empty one, too, and the context's is not read then", () => {
      put({ '.dockerignore': 'a\n[', 'Dockerfile.dockerignore': 'b' })
      assert.equal(kept(), 'ac')
      put({ 'Dockerfile.dockerignore': '' })
      assert.equal(kept(), 'abc')
    })

    it('of the context counts where the Dockerfile has none, or is not a file', () => {
      put({ '.dockerignore': 'a', Dockerfile: '', 'other.dockerignore': 'b' })
      assert.equal(kept(), 'bc')
      assert.equal(kept({ dockerfile: 'FROM scratch' }), 'bc')
      put({ other: '', 'Dockerfile.dockerignore': 'c' })
      assert.equal(kept({ dockerfile: 'FROM scratch' }), 'bc')
      assert.equal(kept({ file: at.path('context/other') }), 'ac')
    })

    it('of a Dockerfile elsewhere counts for the context', () => {
      put({ '.dockerignore': 'a' })
      mkdirSync(at.path('elsewhere'))
      writeFileSync(at.path('elsewhere/app.Dockerfile'), '')
      writeFileSync(at.path('elsewhere/.dockerignore'), 'c')
      assert.equal(kept({ file: at.path('elsewhere/app.Dockerfile') }), 'bc')
      writeFileSync(at.path('elsewhere/app.Dockerfile.dockerignore'), 'b')
      assert.equal(kept({ file: at.path('elsewhere/app.Dockerfile') }), 'ac')
    })

    it('of a dockerfile in small letters may have either name', () => {
      put({ dockerfile: '', 'dockerfile.dockerignore': 'a' })
      assert.equal(kept(), 'bc')
      put({ 'Dockerfile.dockerignore': 'b' })
      assert.equal(kept(), 'ac')
    })

    it('may be a link, but not out of its folder', () => {
      put({ 'd/rules': 'a' })
      const link = at.path('context/.dockerignore')
      for (const target of ['d/rules', './d/../d/rules', '/d/rules']) {
        symlinkSync(target, link)
        assert.equal(kept(), 'bc')
        unlinkSync(link)
      }
      writeFileSync(at.path('rules'), 'b')
      for (const target of ['../rules', at.path('rules'), 'missing']) {
        symlinkSync(target, link)
        refused(/^read the ignore file: \.dockerignore: it is a link to nothing in its folder$/)
        unlinkSync(link)
      }
      symlinkSync('.dockerignore', link)
      assert.throws(() => paths(), { code: 'NOT_FOUND', message: /too many levels/ })
    })

    it('must be a file of moderate size with well-formed patterns', () => {
      const file = at.path('context/.dockerignore')
      mkdirSync(file)
      refused(/^read the ignore file: \.dockerignore: it is not a regular file$/)
      execFileSync('rmdir', [file])
      execFileSync('mkfifo', [file])
      refused(/it is not a regular file$/)
      unlinkSync(file)
      writeFileSync(file, 'x'.repeat((4 << 20) + 1))
      refused(/it has more than 4194304 bytes$/)
      writeFileSync(file, 'a\n\n!\n')
      refused(/^\.dockerignore line 3: illegal exclusion pattern: "!"$/)
      writeFileSync(at.path('context/D'), '')
      writeFileSync(at.path('context/D.dockerignore'), 'x[')
      refused(/context\/D\.dockerignore line 1: syntax error in pattern: "x\["$/, {
        file: at.path('context/D'),
      })
    })
  })

  it('needs a Dockerfile only where one is named', () => {
    refused(/^failed to read dockerfile: open .*\/D: no such file or directory$/, {
      file: at.path('context/D'),
    })
    assert.deepEqual(paths(), [])
    assert.throws(() => listContext({ context: at.path('nowhere') }), {
      code: 'CONTEXT_INVALID',
      message: /^unable to prepare context: path ".*nowhere" not found$/,
    })
  })

  it('is listed for folders only', () => {
    assert.throws(() => listContext({ context: 'https://127.0.0.1:1/x.git' }), {
      code: 'UNSUPPORTED',
      message: 'only folders can be listed: https://127.0.0.1:1/x.git',
    })
  })

  it('is what a build can copy', async () => {
    at.put({ a: 'A', 'd/keep': '', 'd/drop': '', '.dockerignore': 'a\nd\n!d/keep\nDockerfile\n' })
    await assert.rejects(at.build('FROM scratch\nCOPY a /'), /"\/a": not found|not found/)
    await assert.rejects(at.build('FROM scratch\nCOPY d/drop /'))
    const built = await at.build('FROM scratch\nCOPY d/keep /')
    assert.equal(built.layers.length, 1)
  })

  it('has a Dockerfile that may be ignored, and a link, but not out of the context', async () => {
    at.put({ 'd/real': 'FROM scratch\nCOPY a /\n', a: '', '.dockerignore': 'Dockerfile\nd\n' })
    const file = at.path('context/Dockerfile')
    const build = () => at.build('', { dockerfile: undefined } as never)
    symlinkSync('d/real', file)
    assert.equal((await build()).layers.length, 1)
    unlinkSync(file)
    writeFileSync(at.path('secret'), 'SECRET\n')
    symlinkSync(at.path('secret'), file)
    await assert.rejects(build(), (error) => {
      assert.match(
        String(error),
        /failed to read dockerfile: .*it is a link to nothing in its folder/,
      )
      return !String(error).includes('SECRET')
    })
  })

  describe('a path', () => {
    it('is explained by the lines that match it', () => {
      at.put({ 'a/b': '', 'a/c': '', x: '', '.dockerignore': '*\n\n!a\na/c\n' })
      using listing = listContext({ context: context() })
      const explained = (path: string): readonly unknown[] => {
        const { verdict, type, rules } = listing.explain(path)
        return [verdict, type, ...rules.map(({ line }) => line)]
      }
      assert.deepEqual(explained('a/b'), ['included', 'file', 1, 3])
      assert.deepEqual(explained('./a//c/'), ['ignored', 'file', 1, 3, 4])
      assert.deepEqual(explained('/x'), ['ignored', 'file', 1])
      assert.deepEqual(explained('a'), ['included', 'directory', 1, 3])
      assert.deepEqual(explained('missing/x'), ['ignored', undefined, 1])
      assert.deepEqual(explained('.'), ['included', 'directory'])
      assert.throws(() => listing.explain('a/../../x'), { code: 'USAGE' })
    })

    it('may be a folder that is there for what is in it', () => {
      at.put({ 'a/b/keep': '', 'a/c/x': '', '.dockerignore': 'a\n!**/keep\n' })
      using listing = listContext({ context: context() })
      const verdicts = ['a', 'a/b', 'a/c', 'a/b/keep'].map((path) => listing.explain(path).verdict)
      assert.deepEqual(verdicts, ['parent', 'parent', 'ignored', 'included'])
    })

    it('is included where there is no ignore file', () => {
      using listing = listContext({ context: context() })
      assert.equal(listing.ignoreFile, undefined)
      assert.deepEqual(listing.explain('a').verdict, 'included')
    })
  })
})

describe('ContextSummary', () => {
  it('adds up by top-level folder and ranks the ten largest files', () => {
    const summary = new ContextSummary()
    const add = (path: string, size: number): void =>
      summary.add({ path, size, type: 'file', rule: undefined })
    summary.add({ path: 'a', size: 0, type: 'directory', rule: undefined })
    for (let size = 0; size < 15; size++) add(`a/${size}`, size)
    add('b/c/d', 1000)
    add('top', 7)
    const { files, directories, bytes } = summary
    assert.deepEqual({ files, directories, bytes }, { files: 17, directories: 1, bytes: 1112 })
    assert.deepEqual(summary.folders(), [
      { path: 'b', files: 1, bytes: 1000 },
      { path: 'a', files: 15, bytes: 105 },
      { path: '.', files: 1, bytes: 7 },
    ])
    assert.deepEqual(
      summary.largest().map(({ size }) => size),
      [1000, 14, 13, 12, 11, 10, 9, 8, 7, 7],
    )
  })
})
