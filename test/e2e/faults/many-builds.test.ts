import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import {
  type Registry,
  startBusyboxRegistry,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../support/peers/index.ts'
import { writeContext } from '../support/context.ts'
import { storeFaults } from '../support/store-check.ts'
import { mustBuild, startTsbuild, stepsThat, tsbuild } from '../support/tsbuild.ts'

/** Milliseconds until somebody else goes on with what a killed process had begun, on a busy machine. */
const MOST_WAITING = 10_000
/** Builds at once. */
const BUILDS = 10

describe('many builds at once, on one store', function () {
  this.timeout(240_000)
  let directory: TemporaryDirectory
  let registry: Registry
  before(async () => {
    directory = temporaryDirectory('many')
    registry = await startBusyboxRegistry()
  })
  after(async () => {
    await registry?.[Symbol.asyncDispose]()
    directory?.[Symbol.dispose]()
  })

  /** What steps have written to the cache mount `count`. */
  function counted(root: string): readonly string[] {
    const logs = readdirSync(join(root, 'mounts')).filter((name) => name.endsWith('.0'))
    return logs.flatMap((name) =>
      readFileSync(join(root, 'mounts', name, 'data/log'), 'utf8')
        .trim()
        .split('\n'),
    )
  }

  const count = (word: string, more = ''): string =>
    `RUN --mount=type=cache,id=count,target=/c ${more} echo ${word} >> /c/log; date > /${word}`

  it('do each step once, and all their names, pushes and removals succeed', async () => {
    const root = directory.file('once')
    const context = writeContext(directory.file('once-context'), {
      Dockerfile: [
        `FROM ${registry.host}/busybox AS tools`,
        count('tools'),
        `FROM ${registry.host}/busybox`,
        count('first'),
        'COPY file /file',
        count('second'),
        'COPY --from=tools /tools /tools',
        'ARG ME',
        `RUN --mount=type=cache,id=count,target=/c echo own-$ME >> /c/log; echo $ME > /me`,
        '',
      ].join('\n'),
      file: 'file',
    })
    const builds = Array.from({ length: BUILDS }, async (_, me) => {
      const name = `${registry.host}/many:${me}`
      await mustBuild(['-t', name, '--build-arg', `ME=${me}`, context], {
        root,
        timeoutMs: 120_000,
      })
      await mustBuild(['push', name], { root, timeoutMs: 120_000 })
      if (me % 2 === 1) await mustBuild(['rmi', name], { root, timeoutMs: 120_000 })
    })
    await Promise.all(builds)
    const own = Array.from({ length: BUILDS }, (_, me) => `own-${me}`)
    assert.deepEqual(counted(root).toSorted(), ['first', 'second', 'tools', ...own].toSorted())
    const verified = await tsbuild(['store', 'verify', '--format', 'json'], { root })
    assert.equal(verified.status, 0, verified.stdout)
    assert.deepEqual(JSON.parse(verified.stdout).findings, [])
    assert.equal(JSON.parse(verified.stdout).checked.names, BUILDS / 2)
    assert.deepEqual(storeFaults(root), [])
  })

  it('go on with what a killed one had begun', async () => {
    const root = directory.file('killed')
    const context = writeContext(directory.file('killed-context'), {
      Dockerfile: [
        `FROM ${registry.host}/busybox`,
        count('done', 'if mkdir /c/begun; then echo begun; sleep 1000; fi;'),
        '',
      ].join('\n'),
    })
    const log = directory.file('holder')
    const holder = startTsbuild([context], { root }, log)
    using _ = { [Symbol.dispose]: () => holder.kill('SIGKILL') }
    while (!/^#\d+ \d\.\d+ begun$/m.test(readFileSync(log, 'utf8'))) await delay(20)
    const waiting = Array.from({ length: 4 }, (_, n) => {
      const file = directory.file(`waiting${n}`)
      return { file, ended: once(startTsbuild([context], { root }, file), 'exit') }
    })
    const waits = ({ file }: { readonly file: string }): boolean =>
      readFileSync(file, 'utf8').includes(`wait for process ${holder.pid}, which does the same`)
    while (!waiting.every(waits)) await delay(20)
    holder.kill('SIGKILL')
    const killed = performance.now()
    const codes = await Promise.all(waiting.map(async ({ ended }) => (await ended)[0]))
    const milliseconds = performance.now() - killed
    assert.deepEqual(codes, [0, 0, 0, 0])
    assert.ok(milliseconds < MOST_WAITING, `${milliseconds} ms`)
    assert.deepEqual(counted(root), ['done'])
  })

  it('find everything while others write', async () => {
    const root = directory.file('locked')
    const context = writeContext(directory.file('locked-context'), {
      Dockerfile: `FROM ${registry.host}/busybox\nRUN echo x > /x\nCOPY file /file\n`,
      file: 'file',
    })
    const args = ['-t', `${registry.host}/locked`, context]
    await mustBuild(args, { root })
    const database = new DatabaseSync(join(root, 'tsbuild.db'))
    const lock = new DatabaseSync(join(root, 'lock'))
    try {
      database.exec('BEGIN IMMEDIATE')
      lock.exec('BEGIN EXCLUSIVE')
      // Whoever wanted either would wait for 20 seconds and more.
      const cached = await mustBuild(args, { root, timeoutMs: 15_000 })
      assert.equal(stepsThat('CACHED', cached).length, 2)
      assert.match((await mustBuild(['images'], { root, timeoutMs: 15_000 })).stdout, /locked/)
    } finally {
      database.close()
      lock.close()
    }
  })
})
