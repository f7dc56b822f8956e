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
