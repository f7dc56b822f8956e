import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { OnWait, Store } from '#cache'
import { fullMount, keyOf, newRoot, removeRoots, withStore } from './support.ts'

const CHILD = fileURLToPath(new URL('./child.js', import.meta.url))

function start(...args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [CHILD, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
}

async function output(child: ChildProcess): Promise<void> {
  assert.ok(child.stdout)
  await once(child.stdout, 'data')
}

describe('store of many processes', function () {
  this.timeout(120_000)
  afterEach(removeRoots)

  it('lets 16 builds at once execute every step once and name every result', async () => {
    const root = newRoot()
    writeFileSync(join(root, '..', 'executed'), '')
    const builds = [...Array(16).keys()].map((me) => start('build', root, `${me}`))
    const codes = await Promise.all(builds.map(async (child) => (await once(child, 'close'))[0]))
    assert.deepEqual(codes, Array(16).fill(0))
    const executed = readFileSync(join(root, '..', 'executed'), 'utf8')
      .trim()
      .split('\n')
    assert.equal(new Set(executed).size, 10 + 16)
    assert.equal(executed.length, 10 + 16)
    await withStore(root, (store) => assert.equal(store.images.list().length, 17))
    assert.deepEqual(readdirSync(join(root, 'tmp')), [])
  })

  it('has a whole cache mount or none when a process is killed that empties it', async () => {
    const root = newRoot()
    for (let round = 0; round < 12; round++) {
      const child = start('empty', root)
      await output(child)
      await setTimeout(3 * round + Math.random() * 3)
      const ended = once(child, 'close')
      child.kill('SIGKILL')
      await ended
      await withStore(root, async (store) => {
        await using opened = await store.mounts.open([fullMount(200)])
        assert.equal(readdirSync(opened.paths[0] ?? '').length, 200)
      })
    }
    const mounts = readdirSync(join(root, 'mounts'))
    assert.deepEqual(mounts.map((name) => name.replace(/^\w+/, 'name')).sort(), [
      'name.0',
      'name.0.lock',
    ])
  })

  it('gives the lease of a killed process away within a second, and removes its files', async () => {
    const root = newRoot()
    const holder = start('hold', root)
    await output(holder)
    const waits: string[] = []
    const onWait: OnWait = ({ reason }) => void waits.push(reason)
    const work = async (store: Store): Promise<void> => {
      const waiting = store.lease(keyOf('held'), { what: 'RUN x' })
      await setTimeout(100)
      assert.deepEqual(waits, [`process ${holder.pid}, which does the same: RUN x`])
      const ended = once(holder, 'close')
      holder.kill('SIGKILL')
      await ended
      const killed = performance.now()
      await using _ = await waiting
      assert.ok(performance.now() - killed < 1000)
    }
    await withStore(root, work, { onWait })
    await withStore(root, async (store) => {
      store.temporary()
      // A store that closes leaves to the next one what there was no time for.
      await store.parts.presence.discarded()
    })
    assert.deepEqual(readdirSync(join(root, 'tmp')), [])
  })

  it('has nothing half done after kill -9 at any moment', async () => {
    const root = newRoot()
    let records = 0
    for (let round = 0; round < 10; round++) {
      const child = start('crash', root)
      await output(child)
      await setTimeout(Math.random() * 250)
      const ended = once(child, 'close')
      child.kill('SIGKILL')
      await ended
      records += checkAll(root)
    }
    assert.ok(records > 0)
  })

  it('says so when the disk is full, and goes on when there is space again', function () {
    if (process.geteuid?.() !== 0) this.skip()
    const root = newRoot()
    const script = 'mount -t tmpfs -o size=4m tmpfs "$1" && exec "$2" "$3" fill "$1/store"'
    const args = [join(root, '..'), process.execPath, CHILD]
    const text = execFileSync('unshare', ['-m', 'sh', '-c', script, 'sh', ...args], {
      encoding: 'utf8',
    })
    const report = JSON.parse(text)
    assert.deepEqual(report.codes, ['NO_SPACE'])
    assert.ok(report.filled > 2)
    assert.deepEqual(report.whenFull, { names: 1, step: true })
    assert.deepEqual(report.names, ['localhost/first:1', 'localhost/third:1'])
    assert.equal(report.after, true)
  })

  it('is refused with a clear code on a read-only file system', function () {
    if (process.geteuid?.() !== 0) this.skip()
    const root = newRoot()
    const script =
      'mount -t tmpfs -o ro tmpfs "$1" && "$2" "$3" hold "$1/store" 2>&1 | grep -o "code: .*"; true'
    const args = [join(root, '..'), process.execPath, CHILD]
    const text = execFileSync('unshare', ['-m', 'sh', '-c', script, 'sh', ...args], {
      encoding: 'utf8',
    })
    assert.match(text, /code: 'PERMISSION_DENIED'/)
  })
})

/** Fails when a name or a record leads to something that is not whole; tells how many records. */
function checkAll(root: string): number {
  const text = execFileSync(process.execPath, [CHILD, 'check', root], { encoding: 'utf8' })
  const { layers } = JSON.parse(text) as { layers: string[] }
  return layers.length
}
