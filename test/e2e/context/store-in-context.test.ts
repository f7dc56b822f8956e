import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { capture, type TemporaryDirectory, temporaryDirectory } from '../../support/peers/index.ts'
import { writeContext } from '../support/context.ts'
import { HERE } from '../support/tsbuild.ts'

const DOCKERFILE = 'FROM scratch\nCOPY . /all/\nCOPY d* /some/\nCOPY --parents d/*/* /deep/\n'

describe('a store in the context', () => {
  let directory: TemporaryDirectory
  beforeEach(() => {
    directory = temporaryDirectory('inside')
    writeContext(directory.file('app'), { a: 'A', Dockerfile: DOCKERFILE, 'd/e/f': '' })
    mkdirSync(directory.file('home'))
    symlinkSync('app/d', directory.file('way'))
  })
  afterEach(() => directory[Symbol.dispose]())

  for (const [name, root, before] of [
    ['is left out', 'd/store', ':'],
    ['is left out where another path names it', '../way/store', ':'],
    [
      'is left out where it is mounted',
      '../store',
      'mkdir -p d/store ../store; mount --bind ../store d/store',
    ],
  ] as const) {
    it(name, async () => {
      const build = `"$@" --root ${root} --progress plain -o ../out .`
      const script = `${before}; ${build}; ls d/store >&2; ${build}`
      const args = ['-m', 'sh', '-ec', script, 'sh', ...HERE.command]
      const options = { cwd: directory.file('app'), env: { HOME: directory.file('home') } }
      const { status, stderr } = await capture('unshare', args, options)
      assert.equal(status, 0, stderr)
      assert.match(stderr, /^index\.json$/m)
      assert.equal(
        stderr.match(/^steps {3}3, (all|0) cached/gm)?.join(),
        'steps   3, 0 cached,steps   3, all cached',
      )
      const found = readdirSync(directory.file('out'), { recursive: true }).map(String).sort()
      assert.deepEqual(found, [
        ...['all', 'all/Dockerfile', 'all/a', 'all/d', 'all/d/e', 'all/d/e/f'],
        ...['deep', 'deep/d', 'deep/d/e', 'deep/d/e/f', 'some', 'some/e', 'some/e/f'],
      ])
    })
  }
})
