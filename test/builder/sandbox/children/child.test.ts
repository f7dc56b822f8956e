import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { findExit, hasEnded, spawnProcess, waitForExit } from '#builder/linux'
import { Child } from '../../../../builder/sandbox/children/child.ts'
import { endOf } from '../../../suites/sandbox/fixture.ts'
import { until } from '../../../support/peers/index.ts'

function start(script: string): number {
  return spawnProcess({ program: '/bin/sh', args: ['sh', '-c', script], env: [] })
}

const SPAWNING = `
  const { parentPort, workerData } = require('node:worker_threads')
  import(workerData).then(({ spawnProcess }) => {
    const options = { program: '/bin/sh', args: ['sh', '-c', 'read x; exit 7'], env: [] }
    parentPort.postMessage(spawnProcess(options))
    setInterval(() => undefined, 1000)
  })
`

describe('sandbox: a child that the main thread awaits', () => {
  it('ends with its own code or signal, each of many', async () => {
    const codes = Array.from({ length: 64 }, (_, index) => index)
    const children = codes.map((code) => new Child(start(`exit ${code}`)))
    const ends = await Promise.all(children.map(({ end }) => end))
    assert.deepEqual(
      ends.map(endOf),
      codes.map((exitCode) => ({ exitCode, signal: undefined })),
    )
    const killed = new Child(start('kill -USR1 $$'))
    assert.deepEqual(endOf(await killed.end), { exitCode: 138, signal: 'SIGUSR1' })
    for (const { pid } of [...children, killed]) assert.equal(existsSync(`/proc/${pid}`), false)
  })

  it('is seen to have ended before it was awaited', async () => {
    const pid = start('exit 3')
    while (!hasEnded(pid));
    assert.equal((await new Child(pid).end).exitCode, 3)
  })

  it('may have been started by another thread, which need not wait for it', async () => {
    const module = import.meta.resolve('#builder/linux')
    const worker = new Worker(SPAWNING, { eval: true, workerData: module })
    const [pid] = await once(worker, 'message')
    assert.equal((await new Child(pid).end).exitCode, 7)
    await worker.terminate()
  })

  it('gets signals until its pid is released', async () => {
    const child = new Child(start('sleep 1000'))
    child.signal('SIGTERM')
    assert.equal((await child.end).signal, 'SIGTERM')
    child.signal('SIGKILL')
    assert.equal((await child.kill()).signal, 'SIGTERM')
  })

  it('keeps its pid for what has to be done before', async () => {
    const pid = start('exit 0')
    let isTaken = false
    const child = new Child(pid, async () => {
      await new Promise((resolve) => setTimeout(resolve, 20))
      isTaken = hasEnded(pid)
    })
    await child.end
    assert.equal(isTaken, true)
    assert.equal(existsSync(`/proc/${pid}`), false)
  })

  it('leaves other children and listeners of the program alone', async () => {
    let signals = 0
    const count = (): void => void signals++
    process.on('SIGCHLD', count)
    const others = ['exit 5', 'kill $$'].map((script) => spawn('/bin/sh', ['-c', script]))
    const unawaited = start('exit 6')
    const exits = others.map((other) => once(other, 'exit'))
    await new Child(start('sleep 0.1')).end
    assert.deepEqual(await Promise.all(exits), [
      [5, null],
      [null, 'SIGTERM'],
    ])
    assert.equal(findExit(unawaited)?.exitCode, 6)
    assert.deepEqual(process.listeners('SIGCHLD'), [count])
    const before = signals
    await once(spawn('/bin/true'), 'exit')
    await until(() => signals > before)
    process.off('SIGCHLD', count)
  })

  it('is found when other code has removed all listeners', async () => {
    const { end } = new Child(start('sleep 0.05; exit 9'))
    process.removeAllListeners('SIGCHLD')
    assert.equal((await end).exitCode, 9)
  })

  it('is lost when other code has released it', async () => {
    const pid = start('sleep 0.05')
    const child = new Child(pid)
    while (findExit(pid) === undefined);
    await assert.rejects(child.end, { code: 'PEER_GONE' })
    child.signal('SIGKILL')
  })

  it('is killed and not waited for when it is given up', async () => {
    const pid = start('sleep 1000')
    const child = new Child(pid)
    child.abandon()
    await assert.rejects(child.end, { code: 'PEER_GONE' })
    assert.equal(waitForExit(pid).signal, 'SIGKILL')
    assert.equal(process.listenerCount('SIGCHLD'), 0)
  })
})
