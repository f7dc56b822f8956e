import assert from 'node:assert/strict'
import { chmodSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import {
  capture,
  type Registry,
  readImage,
  startBusyboxRegistry,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../support/peers/index.ts'
import { writeContext } from '../support/context.ts'
import { storeFaults } from '../support/store-check.ts'
import { mustBuild, stepsThat, tsbuild } from '../support/tsbuild.ts'

/** Runs a program on a machine that seems to have nothing else to do. */
const WITHOUT_PRESSURE = `
  for file in /proc/pressure/cpu /proc/pressure/memory /sys/fs/cgroup/*.pressure /sys/fs/cgroup/*/*.pressure; do
    if [ -e $file ]; then mount --bind "$0" $file; fi
  done
  exec "$@"
`

describe('the cache, through the command line', () => {
  let directory: TemporaryDirectory
  let registry: Registry

  before(async () => {
    directory = temporaryDirectory('cache')
    registry = await startBusyboxRegistry()
  })

  after(async () => {
    await registry?.[Symbol.asyncDispose]()
    directory?.[Symbol.dispose]()
  })

  const from = (): string => `FROM ${registry.host}/busybox:latest`
  const start = (name: string) => ({ root: directory.file(`store-${name}`) })

  it('executes again what depends on a changed file, and nothing else', async () => {
    const context = writeContext(directory.file('changed'), {
      Dockerfile: [
        `${from()} AS early`,
        'RUN echo early > /early',
        `${from()}`,
        'COPY a /a',
        'RUN cat /a > /from-a',
        'COPY b /b',
        'RUN cat /b > /from-b',
        'COPY --from=early /early /early',
        '',
      ].join('\n'),
      a: 'a',
      b: 'b',
    })
    await mustBuild([context], start('changed'))
    writeFileSync(`${context}/b`, 'B')
    const outcome = await mustBuild([context], start('changed'))
    assert.deepEqual(stepsThat('DONE', outcome), [
      '[stage-1 4/6] COPY b /b',
      '[stage-1 5/6] RUN cat /b > /from-b',
      '[stage-1 6/6] COPY --from=early /early /early',
    ])
    utimesSync(`${context}/a`, 1, 1)
    assert.deepEqual(stepsThat('DONE', await mustBuild([context], start('changed'))), [])
    chmodSync(`${context}/a`, 0o755)
    const chmod = stepsThat('DONE', await mustBuild([context], start('changed')))
    assert.equal(chmod[0], '[stage-1 2/6] COPY a /a')
  })

  it('needs no native code for known capabilities, and still notices a new capability', async function () {
    if (process.geteuid?.() !== 0) this.skip()
    const context = writeContext(directory.file('capability'), {
      Dockerfile: 'FROM scratch\nCOPY program /program\n',
      program: 'text',
    })
    chmodSync(`${context}/program`, 0o755)
    // What is younger is not remembered, because it could change once more without a trace.
    await setTimeout(2100)
    await mustBuild([context], start('capability'))
    const probe = `
      const { readFileSync } = require('node:fs')
      process.on('exit', () => {
        const loaded = [...process.moduleLoadList, readFileSync('/proc/self/maps', 'utf8')].join('\\n')
        console.error('loaded', /NativeModule fs\\b/.test(loaded), /NativeModule crypto\\b|koffi|#\\d+ .deleted/.test(loaded))
      })`
    const preload = directory.file('probe.cjs')
    writeFileSync(preload, probe)
    const env = { NODE_OPTIONS: `--require=${preload}` }
    const cached = await mustBuild([context], { ...start('capability'), env })
    assert.deepEqual(stepsThat('DONE', cached), [])
    assert.match(cached.stderr, /^loaded true false$/m)
    const value = `0x01000002${'00'.repeat(16)}`
    await capture('setfattr', ['-n', 'security.capability', '-v', value, `${context}/program`], {})
    const changed = await mustBuild([context], start('capability'))
    assert.deepEqual(stepsThat('DONE', changed), ['[1/1] COPY program /program'])
    assert.deepEqual(stepsThat('DONE', await mustBuild([context], start('capability'))), [])
  })

  it('does not see what .dockerignore hides', async () => {
    const context = writeContext(directory.file('ignored'), {
      Dockerfile: `${from()}\nCOPY . /context\n`,
      '.dockerignore': '*.log\n!keep.log\nnode_modules\n**/secret\nDockerfile\n.dockerignore\n',
      'keep.log': 'kept',
      'drop.log': 'dropped',
      'node_modules/x/index.js': 'x',
      'deep/er/secret': 's',
      'deep/er/open': 'o',
    })
    const image = `${registry.host}/ignored:latest`
    await mustBuild(['-t', image, '--push', context], start('ignored'))
    const { tree } = await readImage(`docker://${image}`, directory.path, 'ignored-image')
    const files = [...tree.keys()].filter((path) => path.startsWith('/context/'))
    assert.deepEqual(files, [
      '/context/deep',
      '/context/deep/er',
      '/context/deep/er/open',
      '/context/keep.log',
    ])
    writeFileSync(`${context}/drop.log`, 'changed')
    assert.deepEqual(stepsThat('DONE', await mustBuild([context], start('ignored'))), [])
  })

  it('runs independent stages at the same time, and as many as --jobs allows', async () => {
    const stage = (name: string): string[] => [
      `${from()} AS ${name}`,
      `RUN cat /proc/uptime > /${name}; sleep 1; cat /proc/uptime >> /${name}`,
    ]
    const context = writeContext(directory.file('parallel'), {
      Dockerfile: [
        ...stage('one'),
        ...stage('two'),
        'FROM scratch',
        'COPY --from=one /one /',
        'COPY --from=two /two /',
        '',
      ].join('\n'),
    })
    const overlap = async (jobs: string): Promise<boolean> => {
      const dest = directory.file(`parallel-${jobs}`)
      const args = ['--jobs', jobs, '-o', `type=local,dest=${dest}`, context]
      await mustBuild(args, start(`parallel-${jobs}`))
      const { one, two } = stageTimes(dest)
      assert.ok(one[0] > 0 && two[1] > two[0])
      return one[0] < two[1] && two[0] < one[1]
    }
    assert.equal(await overlap('2'), true)
    assert.equal(await overlap('1'), false)
  })

  it('runs all steps that wait for something at the same time, while the machine has room', async () => {
    const names = Array.from({ length: 8 }, (_, index) => `s${index}`)
    // Each goes on when all have come, and none could before.
    const meet = `while [ $(ls /met | wc -l) -lt ${names.length} ]; do sleep 0.1; done`
    const context = writeContext(directory.file('meeting'), {
      Dockerfile: [
        ...names.flatMap((name) => [
          `${from()} AS ${name}`,
          `RUN --mount=type=cache,target=/met touch /met/${name}; ${meet}; touch /${name}`,
        ]),
        'FROM scratch',
        ...names.map((name) => `COPY --from=${name} /${name} /`),
        '',
      ].join('\n'),
    })
    const quiet = directory.file('quiet')
    writeFileSync(quiet, 'some avg10=0.00 avg60=0.00 avg300=0.00 total=1\n')
    const prefix = ['unshare', '--mount', '--propagation', 'private']
    prefix.push('sh', '-ec', WITHOUT_PRESSURE, quiet)
    const dest = directory.file('met')
    const args = ['-o', `type=local,dest=${dest}`, context]
    await mustBuild(args, { ...start('meeting'), prefix })
    assert.deepEqual(readdirSync(dest).sort(), names)
  })

  it('is shared by two builds at the same time, which execute each step once', async () => {
    const context = writeContext(directory.file('twice'), {
      Dockerfile: `${from()}\nRUN sleep 1; cat /proc/uptime > /when\nRUN sleep 1; cat /proc/uptime > /later\n`,
    })
    const both = await Promise.all(
      ['one', 'two'].map((name) => {
        const file = directory.file(`twice-${name}`)
        return mustBuild(['-t', `${name}:latest`, '-o', file, context], start('twice'))
      }),
    )
    const done = both.flatMap((outcome) => stepsThat('DONE', outcome))
    const cached = both.flatMap((outcome) => stepsThat('CACHED', outcome))
    assert.equal(done.length, 2, done.join('\n'))
    assert.equal(cached.length, 2, cached.join('\n'))
    const [one, two] = ['one', 'two'].map((name) => lines(directory.file(`twice-${name}/when`)))
    assert.deepEqual(one, two)
    assert.deepEqual(storeFaults(start('twice').root), [])
  })

  it('is left alone with --no-cache, which stores what it did', async () => {
    const context = writeContext(directory.file('fresh'), {
      Dockerfile: `${from()}\nRUN cat /proc/uptime > /when\n`,
    })
    await mustBuild([context], start('fresh'))
    const fresh = await mustBuild(['--no-cache', context], start('fresh'))
    assert.equal(stepsThat('DONE', fresh).length, 1)
    assert.equal(stepsThat('CACHED', await mustBuild([context], start('fresh'))).length, 1)
  })

  it('keeps names: images, tag and rmi', async () => {
    const context = writeContext(directory.file('names'), { Dockerfile: `${from()}\nCMD ["sh"]\n` })
    await mustBuild(['-t', 'first:1', context], start('names'))
    await mustBuild(['tag', 'first:1', 'second:2'], start('names'))
    await mustBuild(['rmi', 'first:1'], start('names'))
    const { stdout } = await tsbuild(['images'], start('names'))
    assert.match(stdout, /second/)
    assert.doesNotMatch(stdout, /first/)
  })

  function stageTimes(dest: string): Record<'one' | 'two', [number, number]> {
    const times = (name: string): [number, number] => {
      const [begin = 0, end = 0] = lines(`${dest}/${name}`).map(Number.parseFloat)
      return [begin, end]
    }
    return { one: times('one'), two: times('two') }
  }
})

function lines(path: string): string[] {
  return readFileSync(path, 'utf8').trim().split('\n')
}
