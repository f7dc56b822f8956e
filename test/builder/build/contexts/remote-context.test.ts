import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { digestOf } from '#core'
import { ensurePackages, run } from '../../../support/peers/index.ts'
import {
  commitFiles,
  type GitServer,
  startGitServer,
  startWebServer,
  type WebServer,
} from '../../../support/servers/index.ts'
import { type Built, namesOf, Workplace } from '../support/workplace.ts'

const DOCKERFILE = 'FROM scratch\nCOPY . /\n'

describe('a context from elsewhere', () => {
  let at: Workplace
  before(() => ensurePackages())
  beforeEach(async () => {
    at = await Workplace.open()
  })
  afterEach(() => at[Symbol.asyncDispose]())

  /** Builds and reads the files of the result, by path. */
  async function filesOf(
    options: Parameters<Workplace['build']>[1],
  ): Promise<{ readonly files: Readonly<Record<string, string>>; readonly built: Built }> {
    const dest = at.path('result')
    const built = await at.build('', {
      dockerfile: undefined,
      outputs: [{ type: 'local', dest }],
      ...options,
    } as Parameters<Workplace['build']>[1])
    const files = Object.fromEntries(
      readdirSync(dest, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .map((path) => [path.slice(dest.length + 1), readFileSync(path, 'utf8')]),
    )
    await run('rm', ['-r', dest])
    return { files, built }
  }

  const cached = ({ built }: { readonly built: Built }): readonly string[] =>
    namesOf(built.events, 'cached').filter((name) => name.includes('COPY'))

  /** A tar of some files, in the order given; a path that ends in `/` is a folder. */
  async function tarOf(
    files: Readonly<Record<string, string>>,
    flags: readonly string[] = [],
  ): Promise<Buffer> {
    const folder = at.path('to-pack')
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), text)
    }
    const archive = at.path('packed.tar')
    await run('tar', [...flags, '-C', folder, '-cf', archive, '.'])
    await run('rm', ['-r', folder])
    return readFileSync(archive)
  }

  async function* bytesOf(bytes: Buffer | string, size = 100): AsyncGenerator<Uint8Array> {
    const all = Buffer.from(bytes)
    for (let start = 0; start < all.length; start += size) yield all.subarray(start, start + size)
  }

  describe('as bytes', () => {
    it('is an archive, packed in any way, with the Dockerfile in it', async () => {
      const files = { Dockerfile: DOCKERFILE, 'd/a': 'A', '.dockerignore': 'd\n', 'd/D': '' }
      const tar = await tarOf(files)
      const plain = await filesOf({ context: bytesOf(tar) })
      assert.deepEqual(plain.files, files, 'the ignore file does not count')
      assert.deepEqual(cached(plain), [])
      const [xz, bzip2] = ['xz', 'bzip2'].map((program) => execFileSync(program, { input: tar }))
      assert.ok(xz !== undefined && bzip2 !== undefined)
      for (const packed of [tar, gzipSync(tar), zstdCompressSync(tar), xz, bzip2]) {
        const again = await filesOf({ context: bytesOf(packed, 70_000) })
        assert.deepEqual(again.files, files)
        assert.equal(cached(again).length, 1, 'the same files are the same content')
      }
      assert.deepEqual(readdirSync(at.path('store/tmp')), [])
    })

    it('is an archive with another Dockerfile, or with one that comes by itself', async () => {
      const tar = await tarOf({ 'sub/dockerfile': 'FROM scratch\nCOPY sub /\n', a: '' })
      const context = () => bytesOf(tar)
      for (const file of ['sub/Dockerfile', '/sub/Dockerfile', './x/../sub/dockerfile']) {
        const { files } = await filesOf({ context: context(), file })
        assert.deepEqual(Object.keys(files), ['dockerfile'])
      }
      const { files } = await filesOf({ context: context(), dockerfile: 'FROM scratch\nCOPY a /' })
      assert.deepEqual(files, { a: '' })
      await assert.rejects(filesOf({ context: context() }), {
        code: 'CONTEXT_INVALID',
        message: 'failed to read dockerfile: open Dockerfile: no such file or directory',
      })
    })

    it('is a Dockerfile with an empty context', async () => {
      const { files } = await filesOf({ context: bytesOf('FROM scratch\nCOPY <<x /x\nhello\nx\n') })
      assert.deepEqual(files, { x: 'hello\n' })
      const { files: none } = await filesOf({ context: bytesOf(DOCKERFILE) })
      assert.deepEqual(none, {})
      await assert.rejects(filesOf({ context: bytesOf('') }), { code: 'DOCKERFILE_INVALID' })
      for (const other of [{ file: 'Dockerfile' }, { dockerfile: DOCKERFILE }]) {
        await assert.rejects(filesOf({ context: bytesOf(DOCKERFILE), ...other }), {
          code: 'USAGE',
          message: 'ambiguous Dockerfile source: both stdin and flag correspond to Dockerfiles',
        })
      }
    })

    it('is a folder of an archive, and never what a link outside of it leads to', async () => {
      const tar = await tarOf({ 'a/b/Dockerfile': DOCKERFILE, 'a/b/x': '', y: '' })
      for (const contextFolder of ['a/b', '/a/./b/']) {
        const { files } = await filesOf({ context: bytesOf(tar), contextFolder })
        assert.deepEqual(Object.keys(files).toSorted(), ['Dockerfile', 'x'])
      }
      const outside = at.path('outside')
      mkdirSync(outside)
      writeFileSync(join(outside, 'Dockerfile'), DOCKERFILE)
      mkdirSync(at.path('to-pack'))
      symlinkSync(outside, at.path('to-pack/link'))
      const linked = await tarOf({ Dockerfile: DOCKERFILE })
      for (const contextFolder of ['link', 'none', 'Dockerfile']) {
        await assert.rejects(filesOf({ context: bytesOf(linked), contextFolder }), {
          code: 'CONTEXT_INVALID',
          message: `the build context has no folder "${contextFolder}"`,
        })
      }
      assert.deepEqual(readdirSync(at.path('store/tmp')), [])
    })

    it('is refused when it is neither', async () => {
      async function* endless(): AsyncGenerator<Uint8Array> {
        for (;;) yield Buffer.alloc(1 << 16, 'x')
      }
      await assert.rejects(filesOf({ context: endless() }), {
        code: 'CONTEXT_INVALID',
        message: /it has more than 4194304 bytes and is not an archive$/,
      })
      const tar = await tarOf({ Dockerfile: DOCKERFILE, big: 'x'.repeat(100_000) })
      for (const damaged of [tar.subarray(0, 50_000), gzipSync(tar).subarray(0, 150)]) {
        await assert.rejects(filesOf({ context: bytesOf(damaged) }), {
          code: 'CONTEXT_INVALID',
          message: /^unpack the build context: /,
        })
      }
      assert.deepEqual(readdirSync(at.path('store/tmp')), [])
    })

    it('cannot lead out of its folder', async () => {
      writeFileSync(at.path('secret'), 'SECRET')
      mkdirSync(at.path('to-pack/d'), { recursive: true })
      symlinkSync(at.path('secret'), at.path('to-pack/Dockerfile'))
      symlinkSync('/', at.path('to-pack/root'))
      const leads = await tarOf({ real: 'FROM scratch\nCOPY real /\n' })
      await assert.rejects(filesOf({ context: bytesOf(leads) }), {
        message: 'failed to read dockerfile: Dockerfile: it is a link to nothing in its folder',
      })
      await assert.rejects(filesOf({ context: bytesOf(leads), file: `root${at.path('secret')}` }), {
        message: /no such file or directory$/,
      })
      const { files } = await filesOf({ context: bytesOf(leads), file: 'root/d/../../real' })
      assert.deepEqual(Object.keys(files), ['real'])
    })

    it('does not hold a build that was stopped', async () => {
      const stop = new AbortController()
      async function* silent(): AsyncGenerator<Uint8Array> {
        yield Buffer.from('FROM')
        setTimeout(() => stop.abort(), 20)
        await new Promise(() => undefined)
      }
      await assert.rejects(filesOf({ context: silent(), signal: stop.signal }), {
        code: 'CANCELLED',
      })
      assert.deepEqual(readdirSync(at.path('store/tmp')), [])
    })
  })

  describe('from a web server', () => {
    let server: WebServer
    let content: Buffer
    beforeEach(async () => {
      server = await startWebServer((request, response) => {
        const etag = `"${digestOf(content)}"`
        if (request.headers['if-none-match'] === etag) response.writeHead(304).end()
        else response.writeHead(200, { etag }).end(content)
      })
    })
    afterEach(() => server[Symbol.asyncDispose]())

    it('is an archive that is downloaded and unpacked once', async () => {
      content = gzipSync(await tarOf({ Dockerfile: DOCKERFILE, a: 'A' }))
      const context = `${server.origin}/download?id=1`
      const first = await filesOf({ context })
      assert.deepEqual(first.files, { Dockerfile: DOCKERFILE, a: 'A' })
      const second = await filesOf({ context })
      assert.deepEqual(second.files, first.files)
      assert.equal(cached(second).length, 1)
      const [loading = ''] = namesOf(second.built.events, 'cached')
      assert.match(loading, /^\[internal\] load remote build context http:.*\/download\?…$/)
    })

    it('is a Dockerfile, and the only file beside it', async () => {
      content = Buffer.from(DOCKERFILE)
      const context = `${server.origin}/Dockerfile`
      assert.deepEqual((await filesOf({ context })).files, { context: DOCKERFILE })
      await assert.rejects(filesOf({ context, file: 'x' }), { code: 'USAGE' })
    })

    it('may be the Dockerfile alone, for a folder', async () => {
      content = Buffer.from('FROM scratch\nCOPY a /\n')
      at.put({ a: 'A', b: 'B', '.dockerignore': 'b' })
      const file = `${server.origin}/x.Dockerfile`
      assert.deepEqual((await filesOf({ file })).files, { a: 'A' })
      content = Buffer.from('FROM scratch\nCOPY b /\n')
      await assert.rejects(filesOf({ file }))
    })

    it('is reported when it is not there', async () => {
      await server[Symbol.asyncDispose]()
      const missing = await startWebServer((_request, response) => response.writeHead(404).end())
      await assert.rejects(filesOf({ context: `${missing.origin}/x.tar` }), {
        code: 'DOWNLOAD_FAILED',
        message: /the server answered 404$/,
      })
      await missing[Symbol.asyncDispose]()
      server = await startWebServer(() => undefined)
    })
  })

  describe('from a git repository', () => {
    let server: GitServer
    let url: string
    const repository = (): string => at.path('served/r.git')
    beforeEach(async () => {
      mkdirSync(at.path('served'))
      server = await startGitServer(at.path('served'))
      url = `${server.origin}/r.git`
    })
    afterEach(() => server[Symbol.asyncDispose]())

    it('has the files of a branch, tag or commit, and of a folder in it', async () => {
      const first = await commitFiles(repository(), { Dockerfile: DOCKERFILE, a: 'one' })
      await run('git', ['tag', 'v1'], { cwd: repository() })
      await commitFiles(repository(), { a: 'two', 'sub/Dockerfile': DOCKERFILE, 'sub/b': 'B' })
      const all = await filesOf({ context: url })
      assert.deepEqual(Object.keys(all.files).toSorted(), [
        'Dockerfile',
        'a',
        'sub/Dockerfile',
        'sub/b',
      ])
      assert.equal(all.files.a, 'two')
      const old = { Dockerfile: DOCKERFILE, a: 'one' }
      assert.deepEqual((await filesOf({ context: `${url}#v1` })).files, old)
      assert.deepEqual((await filesOf({ context: `${url}#${first}` })).files, old)
      assert.deepEqual((await filesOf({ context: `${url}?tag=v1` })).files, old)
      const sub = { Dockerfile: DOCKERFILE, b: 'B' }
      assert.deepEqual((await filesOf({ context: `${url}#main:sub` })).files, sub)
      const again = await filesOf({ context: `${url}?branch=main&subdir=sub` })
      assert.deepEqual(again.files, sub)
      assert.equal(cached(again).length, 1)
      assert.match(namesOf(again.built.events, 'cached')[0] ?? '', /load git source http:.*:sub$/)
    })

    it('has no ignore file, and takes the Dockerfile from its root', async () => {
      const other = 'FROM scratch\nCOPY a /\n'
      const ignore = 'a\n'
      await commitFiles(repository(), { 'd/other': other, '.dockerignore': ignore, a: 'A' })
      assert.deepEqual((await filesOf({ context: url, file: 'd/other' })).files, { a: 'A' })
      const own = await filesOf({ context: url, dockerfile: 'FROM scratch\nCOPY d /\n' })
      assert.deepEqual(own.files, { other })
    })

    it('has one on request, the Dockerfile in it its own', async () => {
      await commitFiles(repository(), {
        'd/Dockerfile': DOCKERFILE,
        'd/Dockerfile.dockerignore': '*\n!b\n',
        '.dockerignore': 'b\nd\n',
        a: 'A',
        b: 'B',
      })
      const wanted = { context: url, ignoresInFetched: true }
      assert.deepEqual((await filesOf({ ...wanted, file: 'd/Dockerfile' })).files, { b: 'B' })
      const given = await filesOf({ ...wanted, dockerfile: DOCKERFILE })
      assert.deepEqual(given.files, { '.dockerignore': 'b\nd\n', a: 'A' })
    })

    it('is a folder of the repository', async () => {
      await commitFiles(repository(), { 'a/b/Dockerfile': DOCKERFILE, 'a/b/c/x': '', y: '' })
      const { files } = await filesOf({ context: `${url}#main:a`, contextFolder: 'b' })
      assert.deepEqual(Object.keys(files).toSorted(), ['Dockerfile', 'c/x'])
    })

    it('has .git only when it is asked for', async () => {
      await commitFiles(repository(), { Dockerfile: DOCKERFILE })
      const heads = async (options: Parameters<typeof filesOf>[0]) =>
        '.git/HEAD' in (await filesOf(options)).files
      assert.equal(await heads({ context: url }), false)
      const buildArgs = { BUILDKIT_CONTEXT_KEEP_GIT_DIR: '1' }
      assert.equal(await heads({ context: url, buildArgs }), true)
      assert.equal(await heads({ context: `${url}?keep-git-dir=1` }), true)
      assert.equal(await heads({ context: `${url}?keep-git-dir=0`, buildArgs }), false)
    })

    it('cannot lead out of the repository', async () => {
      writeFileSync(at.path('secret'), 'SECRET')
      await commitFiles(repository(), { 'd/x': '' })
      symlinkSync(at.path('secret'), join(repository(), 'Dockerfile'))
      symlinkSync('/', join(repository(), 'root'))
      await commitFiles(repository(), {})
      await assert.rejects(filesOf({ context: url }), {
        code: 'CONTEXT_INVALID',
        message: 'failed to read dockerfile: Dockerfile: it is a link to nothing in its folder',
      })
      await assert.rejects(filesOf({ context: `${url}#main:root` }), { code: 'NOT_FOUND' })
      await assert.rejects(filesOf({ context: `${url}#main:../..` }), { code: 'CONTEXT_INVALID' })
    })

    it('is refused where git would take it for an option or a command', async () => {
      writeFileSync(at.path('context/Dockerfile'), DOCKERFILE)
      for (const context of [
        `${url}#--upload-pack=touch`,
        `${url}?ref=-x`,
        'git://-oProxyCommand=x/y',
        'ssh://-oProxyCommand=x/y',
        'git@-oProxyCommand=x:y',
        'ext::sh -c touch% /tmp/x',
        '--upload-pack=touch',
        'file:///tmp/x.git',
        'ftp://h/x.git',
      ]) {
        await assert.rejects(filesOf({ context }), (error: { code?: string }) => {
          assert.ok(['CONTEXT_INVALID', 'UNSUPPORTED'].includes(error.code ?? ''), context)
          return true
        })
      }
      assert.equal(server.seen.length, 0)
    })

    it('may be named as a folder that exists: then it is that folder', async () => {
      at.put({ 'github.com/x/y/Dockerfile': DOCKERFILE })
      const cwd = process.cwd()
      process.chdir(at.path('context'))
      try {
        const { files } = await filesOf({ context: 'github.com/x/y' })
        assert.deepEqual(files, { Dockerfile: DOCKERFILE })
      } finally {
        process.chdir(cwd)
      }
    })
  })
})
