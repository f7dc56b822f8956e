import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type BuildOptions, instructionGraph, SourceError } from '#builder'
import { ensurePackages, run } from '../../../support/peers/index.ts'
import { commitFiles, startGitServer, startWebServer } from '../../../support/servers/index.ts'
import { foreignImage, foreignLayer, publish, writeLayout } from '../support/images.ts'
import { outputOf, putShell, SHELL_BASE } from '../support/shell-base.ts'
import { type Built, namesOf, Workplace } from '../support/workplace.ts'

describe('named contexts', () => {
  let at: Workplace
  beforeEach(async () => {
    at = await Workplace.open()
    at.put({ a: 'main' })
  })
  afterEach(() => at[Symbol.asyncDispose]())

  /** Makes a folder beside the context. */
  function folder(name: string, files: Readonly<Record<string, string>>): string {
    for (const [path, text] of Object.entries(files)) {
      const file = join(at.path(name), path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, text)
    }
    return at.path(name)
  }

  async function image(name: string, files: Readonly<Record<string, string>>): Promise<string> {
    const made = foreignImage([await foreignLayer(files, 'gzip', 'oci')], { family: 'oci' })
    publish(at.registry, name, made)
    return `docker-image://${at.at(name)}`
  }

  async function filesOf(
    dockerfile: readonly string[],
    contexts: Readonly<Record<string, string>>,
    options: Partial<BuildOptions> = {},
  ): Promise<{ readonly files: Readonly<Record<string, string>>; readonly built: Built }> {
    const dest = at.path('result')
    const outputs = [{ type: 'local', dest }] as const
    const built = await at.build(dockerfile, { contexts, outputs, ...options })
    const { stdout } = await run('find', [dest, '-type', 'f', '-printf', '%P\n'])
    const files = stdout
      .split('\n')
      .filter((path) => path !== '')
      .map((path) => [path, readFileSync(join(dest, path), 'utf8')] as const)
    await run('rm', ['-r', dest])
    return { files: Object.fromEntries(files), built }
  }

  it('may be nothing', async () => {
    const contexts = { base: 'docker-image://scratch' }
    const text = ['FROM base', 'COPY a /a', 'COPY --from=base / /x/']
    const { files, built } = await filesOf(text, contexts)
    assert.deepEqual(files, { a: 'main' })
    assert.equal(built.steps.total, 2)
    const stage = ['FROM unknown AS base', 'RUN unknown', 'FROM base', 'COPY a /b']
    assert.deepEqual((await filesOf(stage, contexts)).files, { b: 'main' })
    const other = await at.build(['FROM --platform=foo/bar base', 'LABEL a=b'], { contexts })
    assert.deepEqual(other.images[0]?.platform, 'foo/bar')
    assert.deepEqual(at.takeLog(), [])
  })

  it('give files of a folder to COPY, without what its own ignore file leaves out', async () => {
    const other = folder('other', { a: 'A', 'd/b': 'B', no: '', '.dockerignore': 'no\n' })
    const copy = (path: string): readonly string[] => ['FROM scratch', `COPY --from=x ${path} /`]
    const first = await filesOf(copy('.'), { x: other })
    assert.deepEqual(first.files, { '.dockerignore': 'no\n', a: 'A', 'd/b': 'B' })
    const again = await filesOf(copy('.'), { x: other })
    assert.equal(again.built.steps.cached, 1)
    writeFileSync(join(other, 'no'), 'changed')
    assert.equal((await filesOf(copy('.'), { x: other })).built.steps.cached, 1)
    writeFileSync(join(other, 'a'), 'changed')
    const changed = await filesOf(copy('.'), { x: other })
    assert.deepEqual([changed.built.steps.cached, changed.files.a], [0, 'changed'])
    await assert.rejects(filesOf(copy('no'), { x: other }), (error) => {
      return error instanceof SourceError && /"\/no": not found/.test(error.message)
    })
  })

  it('give files to COPY beside those of the build context', async () => {
    const other = folder('other', { a: 'other' })
    const lines = ['FROM scratch', 'COPY a /main', 'COPY --from=x a /other', 'ADD a /again']
    const { files } = await filesOf(lines, { x: other })
    assert.deepEqual(files, { main: 'main', other: 'other', again: 'main' })
  })

  it('are root file systems for FROM, with an empty config', async () => {
    const other = folder('other', { 'etc/x': 'X' })
    symlinkSync('etc', join(other, 'link'))
    const { files } = await filesOf(['FROM rootfs', 'COPY a /link/a'], { rootfs: other })
    assert.deepEqual(files, { 'etc/x': 'X', 'etc/a': 'main' })
    const tags = ['local/x:1']
    const built = await at.build(['FROM rootfs'], { contexts: { rootfs: other }, tags })
    assert.equal(built.layers.length, 1)
    assert.equal(built.layers[0]?.createdBy, '[context rootfs] load from client')
    assert.equal(built.steps.total, 0)
  })

  it('stand for images, however these are written', async () => {
    const other = folder('other', { a: 'A' })
    const names = ['alpine', 'alpine:latest', 'docker.io/library/alpine', 'library/alpine:latest']
    for (const name of names) {
      const { files } = await filesOf([`FROM ${name}`], { 'docker.io/library/alpine': other })
      assert.deepEqual(files, { a: 'A' })
      const copied = await filesOf(['FROM scratch', `COPY --from=${name} / /`], { [name]: other })
      assert.deepEqual(copied.files, { a: 'A' })
    }
    const tagged = await filesOf(['FROM alpine:3'], { 'alpine:3': other })
    assert.deepEqual(tagged.files, { a: 'A' })
  })

  it('can be images, of a registry or a layout', async () => {
    const contexts = { base: await image('real', { x: 'X' }) }
    assert.deepEqual((await filesOf(['FROM base', 'COPY a /'], contexts)).files, {
      x: 'X',
      a: 'main',
    })
    const copied = await filesOf(['FROM scratch', 'COPY --from=base x /y'], contexts)
    assert.deepEqual(copied.files, { y: 'X' })
    const layer = await foreignLayer({ l: 'L' }, 'none', 'oci')
    writeLayout(at.path('layout'), foreignImage([layer], { family: 'oci' }), 'v1')
    const layout = { base: `oci-layout://${at.path('layout')}:v1` }
    assert.deepEqual((await filesOf(['FROM base'], layout)).files, { l: 'L' })
  })

  it('stand for stages, which are not built then', async () => {
    const other = folder('other', { a: 'other' })
    const lines = [
      'FROM nowhere.invalid/no/image AS Assets',
      'COPY missing /',
      'FROM assets AS on-top',
      'COPY a /b',
      'FROM scratch',
      'COPY --from=0 a /number',
      'COPY --from=assets a /name',
      'COPY --from=on-top / /top/',
    ]
    const { files } = await filesOf(lines, { assets: other })
    assert.deepEqual(files, { number: 'other', name: 'other', 'top/a': 'other', 'top/b': 'main' })
    const target = await filesOf(lines, { assets: other }, { target: 'assets' })
    assert.deepEqual(target.files, { a: 'other' })
  })

  it('can be earlier stages', async () => {
    const lines = ['FROM scratch AS real', 'COPY a /a', 'FROM alpine', 'COPY --from=busybox a /b']
    const contexts = { alpine: 'target:real', busybox: 'target:Real' }
    assert.deepEqual((await filesOf(lines, contexts)).files, { a: 'main', b: 'main' })
    await assert.rejects(filesOf(lines, { ...contexts, alpine: 'target:rael' }), {
      code: 'USAGE',
      message: 'stage "rael" could not be found (did you mean real?)',
    })
    const later = ['FROM alpine AS first', 'FROM scratch AS last']
    await assert.rejects(filesOf(later, { alpine: 'target:last' }, { target: 'first' }), {
      code: 'USAGE',
    })
    const self = await filesOf(['FROM scratch AS x', 'COPY a /'], { x: 'target:x' })
    assert.deepEqual(self.files, { a: 'main' })
  })

  it('can be mounted, whole or in part', async () => {
    putShell(at)
    const other = folder('other', { 'd/x': 'X\n', y: 'Y\n', no: '', '.dockerignore': 'no' })
    const lines = [
      ...SHELL_BASE,
      'FROM base',
      'RUN --mount=from=o,target=/o ls /o; cat /o/d/x; test ! -e /o/no',
      'RUN --mount=from=o,source=y,target=/y cat /y',
      'RUN --mount=type=cache,from=o,source=d,target=/c cat /c/x',
    ]
    const build = () => at.build(lines, { contexts: { o: other } })
    assert.equal(outputOf(await build()), 'd\ny\nX\nY\nX\n')
    writeFileSync(join(other, 'no'), 'changed')
    assert.equal(outputOf(await build()), '', 'nothing ran')
    writeFileSync(join(other, 'd/x'), 'new\n')
    assert.match(outputOf(await build()), /^d\ny\nnew\n/)
  })

  it('never stand for scratch', async () => {
    const other = folder('other', { x: '' })
    const { files } = await filesOf(['FROM scratch', 'COPY a /'], { scratch: other })
    assert.deepEqual(files, { a: 'main' })
  })

  it('are part of the graph', async () => {
    const dockerfile = 'FROM x AS a\nFROM scratch\nCOPY --from=a / /'
    const contexts = { x: at.path('context') }
    const graph = await instructionGraph({ context: at.path('context'), dockerfile, contexts })
    assert.deepEqual(graph.stages[0]?.base, { kind: 'image', name: 'x', context: 'x' })
  })

  it('are looked at only where they are needed', async () => {
    const contexts = { unused: 'https://127.0.0.1:1/x.git', other: 'docker-image://127.0.0.1:1/x' }
    const { files } = await filesOf(['FROM other AS no', 'FROM scratch', 'COPY a /'], contexts)
    assert.deepEqual(files, { a: 'main' })
  })

  it('are refused with their names', async () => {
    const bad: readonly (readonly [Record<string, string>, RegExp])[] = [
      [{ x: at.path('nowhere') }, /^failed to get build context x: path ".*nowhere" not found$/],
      [{ x: at.path('context/a') }, /^failed to get build context x: path .* is not a directory$/],
      [{ x: 's3://b/c' }, /^failed to get build context x: a build context of this kind/],
      [{ x: 'https://h/r.git#main:.git' }, /^failed to get build context x: invalid git reference/],
      [{ 'A b': '.' }, /^invalid context name A b: /],
    ]
    for (const [contexts, message] of bad) {
      await assert.rejects(filesOf(['FROM scratch'], contexts), { message })
    }
  })

  describe('from elsewhere', () => {
    before(() => ensurePackages())

    it('can be commits of git repositories', async () => {
      mkdirSync(at.path('served'))
      await commitFiles(at.path('served/r.git'), { x: 'one', 'd/y': 'Y' })
      await using server = await startGitServer(at.path('served'))
      const contexts = { repo: `${server.origin}/r.git`, sub: `${server.origin}/r.git#main:d` }
      const lines = ['FROM repo', 'COPY --from=repo x /copied', 'COPY --from=sub / /sub/']
      const first = await filesOf(lines, contexts)
      const expected = { x: 'one', 'd/y': 'Y', copied: 'one', 'sub/y': 'Y' }
      assert.deepEqual(first.files, expected)
      const again = await filesOf(lines, contexts)
      assert.deepEqual(again.files, expected)
      assert.equal(again.built.steps.cached, 2)
      assert.equal(server.fetches(), 2)
      const names = namesOf(again.built.events, 'cached')
      assert.ok(names.includes(`[context repo] ${server.origin}/r.git`), names.join())
    })

    it('can be files of web servers', async () => {
      await using server = await startWebServer((_request, response) => response.end('text'))
      const contexts = { file: `${server.origin}/some.txt` }
      const { files } = await filesOf(['FROM scratch', 'COPY --from=file context /x'], contexts)
      assert.deepEqual(files, { x: 'text' })
    })
  })
})
