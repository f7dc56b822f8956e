import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readImage, type TemporaryDirectory, temporaryDirectory } from '../support/peers/index.ts'
import { FIXTURES, mustBuild, stepsThat, tsbuild } from './support/tsbuild.ts'

describe('the hello image', () => {
  let directory: TemporaryDirectory
  before(() => {
    directory = temporaryDirectory('hello')
  })
  after(() => directory[Symbol.dispose]())

  const args = ['-t', 'hello:latest', `${FIXTURES}/hello`]

  it('is built, and its RUN step is really executed', async () => {
    const outcome = await mustBuild(args, { root: directory.file('store') })
    assert.match(outcome.stderr, /^#\d+ \[2\/2\] RUN \["\/hello", "\/greeting\.txt"\]$/m)
    assert.match(outcome.stderr, /^#\d+ \d+\.\d+ Hello from a step that tsbuild ran$/m)
    assert.equal(stepsThat('CACHED', outcome).length, 0)
    assert.equal(stepsThat('DONE', outcome).length, 2)
  })

  it('is built a second time from the cache alone', async () => {
    const outcome = await mustBuild(args, { root: directory.file('store') })
    assert.deepEqual(stepsThat('CACHED', outcome), [
      '[1/2] COPY hello /hello',
      '[2/2] RUN ["/hello", "/greeting.txt"]',
    ])
    assert.deepEqual(stepsThat('DONE', outcome), [])
  })

  it('says where the time of its build went, in the end', async () => {
    const root = directory.file('timed')
    const { stderr } = await mustBuild(['--timing', ...args], { root })
    const row = (name: string): number => {
      return Number(new RegExp(`^${name} .* ([\\d.]+)s$`, 'm').exec(stderr)?.[1])
    }
    const total = row('total')
    assert.ok(total > 0)
    const names = ['start', 'parse', 'store', 'resolve', 'keys', 'steps', 'export', 'sync', 'other']
    for (const name of names) assert.ok(row(name) >= 0, `${name}: ${stderr}`)
    assert.ok(row('start') > 0.01 && row('steps') > 0)
    assert.ok(row('other') < total / 2)
    assert.match(stderr, /^processor: \d+\.\d{3}s tsbuild, \d+\.\d{3}s steps and other programs$/m)
    assert.match(
      stderr,
      /^ +\d\.\d{3}s +\d+% {2}line 4: \[2\/2\] RUN \["\/hello", "\/greeting.txt"\] \(processor \d\.\d{3}s, \d+\.\d+[kM]B at its peak\)$/m,
    )
    const cached = await mustBuild(['--timing', ...args], { root })
    assert.match(cached.stderr, /^keys /m)
    assert.doesNotMatch(cached.stderr, /^steps .*%/m)
    assert.doesNotMatch(cached.stderr, /slowest/)
  })

  it('says it as JSON among the lines of rawjson, and from a recording of them', async () => {
    const timed = ['--timing', '--progress', 'rawjson', '--no-cache', ...args]
    const { stderr } = await mustBuild(timed, { root: directory.file('timed') })
    const { type, timing } = JSON.parse(stderr.trimEnd().split('\n').at(-1) ?? '').tsbuild
    assert.equal(type, 'timing')
    assert.ok(timing.total > 0 && timing.processor.own > 0)
    const alone = timing.parts.reduce((sum: number, part: { alone: number }) => sum + part.alone, 0)
    assert.ok(Math.abs(alone + timing.overlap + timing.other - timing.total) < 0.001)
    const lines = timing.steps.map((step: { lines: { start: number } }) => step.lines.start)
    assert.deepEqual(lines.toSorted(), [3, 4])
    const replay = ['replay', '--progress', 'quiet', '--timing', '-']
    const replayed = await mustBuild(replay, { root: directory.file('timed'), input: stderr })
    assert.match(replayed.stdout, new RegExp(`^total +${(timing.total / 1000).toFixed(3)}s`, 'm'))
    assert.equal(replayed.stderr, '')
  })

  it('is an image of the store, which is an OCI layout that skopeo and umoci read', async () => {
    const listed = await tsbuild(['images'], { root: directory.file('store') })
    assert.match(listed.stdout, /hello\s+latest/)
    const reference = `oci:${directory.file('store')}:docker.io/library/hello:latest`
    const image = await readImage(reference, directory.path, 'unpacked')
    assert.deepEqual([...image.tree.keys()], ['/', '/greeting.txt', '/hello'])
    assert.equal(
      readFileSync(join(image.rootfs, 'greeting.txt'), 'utf8'),
      'Hello from a step that tsbuild ran\n',
    )
    assert.deepEqual(image.config.config, {
      Env: [
        'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        'GREETING=/greeting.txt',
      ],
      Cmd: ['/hello'],
      WorkingDir: '/',
      Labels: { 'org.opencontainers.image.title': 'hello' },
      ArgsEscaped: true,
    })
  })
})
