import assert from 'node:assert/strict'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { Fetcher, parseGitSource, withGitFlags } from '#builder/fetch'
import { openStore, type Store } from '#cache'
import type { GitCheckout } from '../../../builder/fetch/git-checkout.ts'
import {
  capture,
  ensurePackages,
  run,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../support/peers/index.ts'
import {
  commitFiles,
  type GitServer,
  startGitServer,
  startWebServer,
  type WebServer,
} from '../../support/servers/index.ts'

const COMMIT_TIME = 1_600_000_000_000

describe('checking out a repository', () => {
  let directory: TemporaryDirectory
  let store: Store
  let fetcher: Fetcher
  let server: GitServer
  let repository: string

  before(() => ensurePackages())

  beforeEach(async () => {
    directory = temporaryDirectory('git')
    repository = directory.file('served/r.git')
    mkdirSync(directory.file('served'))
    server = await startGitServer(directory.file('served'))
    store = openStore(directory.file('store'))
    fetcher = new Fetcher({ store, environment: process.env })
  })

  afterEach(async () => {
    await fetcher[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
    directory[Symbol.dispose]()
  })

  const git = (...args: readonly string[]) => run('git', args, { cwd: repository })

  const checkout = (fragment = '', options: { authorization?: string } = {}) => {
    const source = parseGitSource(`${server.origin}/r.git${fragment}`)
    assert.ok(source)
    return fetcher.checkoutGit(source, options)
  }

  const read = ({ directory: folder }: GitCheckout, path: string): string =>
    readFileSync(join(folder, path), 'utf8')

  it('gives the files of the default branch, and nothing of git', async () => {
    const commit = await commitFiles(repository, { a: 'one', 'd/b': 'two' })
    const found = await checkout()
    assert.deepEqual([read(found, 'a'), read(found, 'd/b'), found.commit], ['one', 'two', commit])
    assert.equal(existsSync(join(found.directory, '.git')), false)
    assert.equal(found.committedMs, COMMIT_TIME)
    assert.equal(lstatSync(found.directory).mode & 0o777, 0o755)
  })

  it('fetches a commit once, and again when the branch has moved', async () => {
    await commitFiles(repository, { a: 'one' })
    const first = await checkout()
    const second = await checkout('#main')
    assert.deepEqual([first.isCached, second.isCached, second.key], [false, true, first.key])
    assert.equal(server.fetches(), 1)
    await commitFiles(repository, { a: 'two' })
    const third = await checkout()
    assert.deepEqual([third.isCached, read(third, 'a'), server.fetches()], [false, 'two', 2])
    const requests = server.seen.length
    assert.equal((await checkout(`#${first.commit}`)).isCached, true)
    assert.equal(server.seen.length, requests, 'a commit is not looked up')
  })

  it('finds branches, tags, refs and commits, a branch before a tag', async () => {
    const old = await commitFiles(repository, { a: 'old' })
    await git('tag', 'light')
    await git('-c', 'user.name=x', '-c', 'user.email=x', 'tag', '-a', '-m', 'x', 'heavy')
    await git('branch', 'feature/x')
    await git('update-ref', 'refs/pull/1/merge', old)
    const next = await commitFiles(repository, { a: 'new' })
    await git('tag', 'main')
    await git('update-ref', 'refs/tags/main', old)
    const expected: Readonly<Record<string, string>> = {
      '#light': old,
      '#heavy': old,
      '#feature/x': old,
      '#refs/pull/1/merge': old,
      '#pull/1/merge': old,
      '#main': next,
      '#refs/tags/main': old,
      '?tag=heavy': old,
      '?branch=main': next,
      [`?fetch-by-commit&commit=${old}`]: old,
      [`?commit=${next}`]: next,
      [`#${old}`]: old,
    }
    for (const [fragment, commit] of Object.entries(expected)) {
      assert.equal((await checkout(fragment)).commit, commit, fragment)
    }
    for (const fragment of ['#none', '#x', '#refs/heads/none']) {
      await assert.rejects(checkout(fragment), { code: 'NOT_FOUND' }, fragment)
    }
  })

  it('fetches a commit that no ref leads to', async () => {
    const old = await commitFiles(repository, { a: 'old' })
    await commitFiles(repository, { a: 'new' })
    assert.equal(read(await checkout(`#${old}`), 'a'), 'old')
    const none = '0'.repeat(40)
    await assert.rejects(checkout(`#${none}`), { code: 'DOWNLOAD_FAILED' })
  })

  it('compares the commit with a checksum', async () => {
    const commit = await commitFiles(repository, { a: 'one' })
    assert.equal((await checkout(`?branch=main&checksum=${commit.slice(0, 7)}`)).commit, commit)
    const other = 'f'.repeat(40)
    await assert.rejects(checkout(`?branch=main&checksum=${other}`), {
      code: 'DIGEST_MISMATCH',
      message: `expected checksum to match ${other}, got ${commit}`,
    })
  })

  it('gives a folder of it, and never what a link leads to', async () => {
    mkdirSync(repository)
    symlinkSync('/etc', join(repository, 'out'))
    symlinkSync('d', join(repository, 'in'))
    await commitFiles(repository, { 'd/e/f': 'text', g: '' })
    const found = await checkout('#main:d/./e/')
    assert.equal(read(found, 'f'), 'text')
    assert.equal(existsSync(join(found.directory, 'g')), false)
    for (const folder of ['out/ssl', 'in', 'g']) {
      await assert.rejects(checkout(`#main:${folder}`), { code: 'NOT_FOUND' }, folder)
    }
  })

  it('keeps .git when it is wanted, of one commit, as a repository that works', async () => {
    await commitFiles(repository, { a: 'one' })
    const commit = await commitFiles(repository, { a: 'two' })
    const source = parseGitSource(`http://me:secret@127.0.0.1:${server.port}/r.git#main`)
    assert.ok(source)
    const found = await fetcher.checkoutGit(withGitFlags(source, { keepGitDir: true }))
    const inside = (...args: readonly string[]) => run('git', args, { cwd: found.directory })
    assert.equal((await inside('log', '--format=%H')).stdout.trim(), commit)
    assert.equal((await inside('status', '--porcelain')).stdout, '')
    const url = `${server.origin}/r.git`
    assert.equal((await inside('remote', 'get-url', 'origin')).stdout.trim(), url)
    const { status } = await capture('grep', ['-r', 'secret', found.directory])
    assert.equal(status, 1, 'the password is nowhere')
    assert.equal((await checkout()).isCached, false, 'without .git it is another result')
  })

  it('fetches submodules of submodules, and leaves them out on request', async () => {
    const inner = directory.file('served/inner.git')
    const outer = directory.file('served/outer.git')
    await commitFiles(inner, { deep: 'text' })
    await commitFiles(outer, { middle: 'text' })
    const add = async (to: string, from: string, path: string): Promise<void> => {
      const allow = ['-c', 'protocol.file.allow=always']
      await run('git', [...allow, 'submodule', 'add', '--quiet', from, path], { cwd: to })
      const file = ['config', '-f', '.gitmodules', `submodule.${path}.url`]
      await run('git', [...file, `../${from.split('/').at(-1)}`], { cwd: to })
      await commitFiles(to, {})
    }
    await add(outer, inner, 'in')
    await commitFiles(repository, { a: 'one' })
    await add(repository, outer, 'sub')
    const found = await checkout()
    assert.deepEqual([read(found, 'sub/middle'), read(found, 'sub/in/deep')], ['text', 'text'])
    for (const path of ['.git', 'sub/.git', 'sub/in/.git']) {
      assert.equal(existsSync(join(found.directory, path)), false, path)
    }
    const without = await checkout('?submodules=false')
    assert.equal(existsSync(join(without.directory, 'sub/middle')), false)
    assert.notEqual(without.key, found.key)
  })

  it('refuses submodules from this machine', async () => {
    const inner = directory.file('inner')
    await commitFiles(inner, { secret: 'text' })
    await commitFiles(repository, { a: 'one' })
    const allow = ['-c', 'protocol.file.allow=always']
    await git(...allow, 'submodule', 'add', '--quiet', `file://${inner}`, 'sub')
    await commitFiles(repository, {})
    await assert.rejects(checkout(), {
      code: 'DOWNLOAD_FAILED',
      message: /transport 'file' not allowed/,
    })
  })

  it('dates files by the commit on request', async () => {
    await commitFiles(repository, { 'd/a': 'one' })
    const found = await checkout('?mtime=commit')
    for (const path of ['d', 'd/a']) {
      assert.equal(lstatSync(join(found.directory, path)).mtimeMs, COMMIT_TIME, path)
    }
  })

  it('makes the same modes whatever the umask is', async () => {
    await commitFiles(repository, { 'd/a': 'one' })
    const old = process.umask(0o077)
    try {
      const found = await checkout()
      const modes = ['d', 'd/a'].map((path) => lstatSync(join(found.directory, path)).mode & 0o777)
      assert.deepEqual(modes, [0o755, 0o644])
    } finally {
      process.umask(old)
    }
  })

  it('runs no program that the repository, its attributes or the user name', async () => {
    const mark = directory.file('mark')
    const home = directory.file('home')
    mkdirSync(home)
    await run('git', ['config', '--global', 'filter.evil.smudge', `touch ${mark}; cat`], {
      env: { HOME: home },
    })
    await commitFiles(repository, { '.gitattributes': '* filter=evil\n', a: 'one' })
    await using own = new Fetcher({ store, environment: { ...process.env, HOME: home } })
    const source = parseGitSource(`${server.origin}/r.git`)
    assert.ok(source)
    assert.equal(read(await own.checkoutGit(source), 'a'), 'one')
    assert.equal(existsSync(mark), false)
  })

  it('runs no git of the repository, whatever PATH is', async () => {
    const mark = directory.file('mark')
    await commitFiles(repository, { git: `#!/bin/sh\ntouch ${mark}\n`, a: 'one' })
    await git('update-index', '--chmod=+x', 'git')
    await git('-c', 'user.name=x', '-c', 'user.email=x', 'commit', '-qm', 'x')
    for (const PATH of [`.:${process.env.PATH}`, `:${process.env.PATH}`]) {
      const own = openStore(directory.file(`store${PATH.startsWith(':')}`))
      await using alone = new Fetcher({ store: own, environment: { ...process.env, PATH } })
      const source = parseGitSource(`${server.origin}/r.git`)
      assert.ok(source)
      assert.equal(read(await alone.checkoutGit(source), 'a'), 'one')
      assert.equal(existsSync(mark), false)
      await own[Symbol.asyncDispose]()
    }
  })

  it('sends credentials of the URL and of the options', async () => {
    await commitFiles(repository, { a: 'one' })
    const authorization = `Basic ${Buffer.from('me:secret').toString('base64')}`
    await using closed = await startGitServer(directory.file('served'), { authorization })
    const at = (user: string) => {
      const source = parseGitSource(`http://${user}127.0.0.1:${closed.port}/r.git`)
      assert.ok(source)
      return source
    }
    assert.equal((await fetcher.checkoutGit(at('me:secret@'))).isCached, false)
    assert.equal((await fetcher.checkoutGit(at(''), { authorization })).isCached, true)
    await assert.rejects(fetcher.checkoutGit(at('me:wrong@')), (error: Error) => {
      assert.equal(/wrong/.test(error.message), false)
      return true
    })
  })

  describe('that has moved, with credentials', () => {
    const authorization = `Basic ${Buffer.from('me:secret').toString('base64')}`
    let moved: WebServer
    let location: (path: string) => string

    beforeEach(async () => {
      await commitFiles(repository, { a: 'one' })
      moved = await startWebServer((request, response) => {
        response.writeHead(301, { location: location(request.url ?? '') }).end()
      })
    })

    afterEach(() => moved[Symbol.asyncDispose]())

    const authorizations = ({ seen }: WebServer) =>
      new Set(seen.map(({ headers }) => headers.authorization))

    const fromMoved = (fragment = '') => {
      const source = parseGitSource(`http://me:secret@127.0.0.1:${moved.port}/r.git${fragment}`)
      assert.ok(source)
      return fetcher.checkoutGit(source)
    }

    it('does not send them to another server', async () => {
      location = (path) => `${server.origin}${path}`
      const found = await fromMoved()
      assert.equal(read(found, 'a'), 'one')
      assert.deepEqual(authorizations(server), new Set([undefined]))
      assert.deepEqual(authorizations(moved), new Set([authorization]))
      assert.equal((await fromMoved(`#${found.commit}`)).isCached, true)
    })

    it('sends them to another place of the same server', async () => {
      await using closed = await startGitServer(directory.file('served'), { authorization })
      await using front = await startWebServer((request, response) => {
        const path = request.url ?? ''
        if (path.startsWith('/old.git')) {
          response.writeHead(301, { location: path.replace('old', 'r') }).end()
        } else {
          const { method, headers } = request
          request.pipe(
            httpRequest(`${closed.origin}${path}`, { method, headers }, (answer) => {
              response.writeHead(answer.statusCode ?? 500, answer.headers)
              answer.pipe(response)
            }),
          )
        }
      })
      const source = parseGitSource(`http://me:secret@127.0.0.1:${front.port}/old.git`)
      assert.ok(source)
      const kept = withGitFlags(source, { keepGitDir: true })
      const found = await fetcher.checkoutGit(kept)
      assert.equal(read(found, 'a'), 'one')
      const { stdout } = await run('git', ['remote', '-v'], { cwd: found.directory })
      assert.match(stdout, /\/old\.git /)
    })

    it('fails when it has moved to something else than a repository', async () => {
      location = () => `${server.origin}/elsewhere`
      await assert.rejects(fromMoved(), { code: 'DOWNLOAD_FAILED', message: /to no repository/ })
      location = (path) => path
      await assert.rejects(fromMoved(), { code: 'DOWNLOAD_FAILED', message: /redirects/ })
      location = () => 'file:///etc/passwd'
      await assert.rejects(fromMoved(), { code: 'DOWNLOAD_FAILED', message: /a file: address/ })
    })
  })

  it('takes names that are not text, and commits of any date', async () => {
    const folder = Buffer.concat([Buffer.from(`${repository}/`), Buffer.of(0x64, 0xff)])
    mkdirSync(folder, { recursive: true })
    writeFileSync(Buffer.concat([folder, Buffer.from('/f')]), 'text')
    mkdirSync(directory.file('served/inner.git'))
    await commitFiles(directory.file('served/inner.git'), { deep: 'text' })
    const settings = '[submodule "s"]\n\tpath = s\n\turl = ../inner.git\n'
    await commitFiles(repository, { '.gitmodules': settings })
    const { stdout: inner } = await run('git', ['rev-parse', 'HEAD'], {
      cwd: directory.file('served/inner.git'),
    })
    await git('update-index', '--add', '--cacheinfo', `160000,${inner.trim()},s`)
    await git('-c', 'user.name=x', '-c', 'user.email=x', 'commit', '-qm', 'x')
    const found = await checkout('?mtime=commit')
    assert.equal(read(found, 's/deep'), 'text')
    assert.equal(existsSync(join(found.directory, 's/.git')), false)

    const text = (await git('cat-file', 'commit', 'HEAD')).stdout
    writeFileSync(directory.file('commit'), text.replaceAll(/> \d+ /g, `> ${2n ** 63n - 1n} `))
    const odd = ['hash-object', '-t', 'commit', '-w', '--literally', directory.file('commit')]
    await git('update-ref', 'refs/heads/odd', (await git(...odd)).stdout.trim())
    const late = await checkout('?mtime=commit&branch=odd')
    assert.ok(late.committedMs > COMMIT_TIME, `${late.committedMs}`)
  })

  it('reports what is wrong', async () => {
    await assert.rejects(checkout(), { code: 'DOWNLOAD_FAILED', message: /r\.git.*: .*not found/ })
    rmSync(directory.file('served'), { recursive: true })
    await using blind = new Fetcher({ store, environment: { PATH: '/nonexistent' } })
    const source = parseGitSource('https://h/r.git')
    assert.ok(source)
    await assert.rejects(blind.checkoutGit(source), { code: 'UNSUPPORTED' })
    const signal = AbortSignal.abort()
    await assert.rejects(fetcher.checkoutGit(source, { signal }), { code: 'CANCELLED' })
  })
})
