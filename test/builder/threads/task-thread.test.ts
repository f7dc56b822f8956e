import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { TaskThread } from '#builder/threads'
import { errnoOf, TsbuildError } from '#core'
import type * as tasks from './support/tasks.ts'
import type { Settings } from './support/test-worker.ts'

const SCRIPT = new URL('./support/test-worker.js', import.meta.url)

interface TestThread extends TaskThread<typeof tasks>, AsyncDisposable {}

function startThread(settings: Settings = {}): TestThread {
  const thread = new TaskThread<typeof tasks>({ doing: 'test', script: SCRIPT, settings })
  return Object.assign(thread, { [Symbol.asyncDispose]: () => thread.close() })
}

async function failureOf(work: Promise<unknown>): Promise<Error> {
  const failure = await work.then(
    () => undefined,
    (cause: unknown) => cause,
  )
  assert.ok(failure instanceof Error)
  return failure
}

describe('a worker thread', () => {
  it('performs tasks in the order of the requests', async () => {
    await using thread = startThread()
    const sums = [1, 2, 3].map((a) => thread.run('add', { a, b: a }))
    assert.deepEqual(await Promise.all(sums), [2, 4, 6])
  })

  it('posts updates before the result', async () => {
    await using thread = startThread()
    const seen: number[] = []
    const counted = thread.run('countTo', 3, { onUpdate: ({ count }) => seen.push(count) })
    assert.equal(await counted, 'counted')
    assert.deepEqual(seen, [1, 2, 3])
  })

  it('does not keep the process running', () => {
    const text = `
      import { TaskThread } from '#builder/threads'
      const thread = new TaskThread({ doing: 'test', script: new URL(${JSON.stringify(SCRIPT.href)}), settings: {} })
      console.log(await thread.run('add', { a: 1, b: 2 }))`
    const args = ['--eval', text]
    const cwd = new URL('../../../..', import.meta.url)
    assert.equal(execFileSync(process.execPath, args, { cwd, encoding: 'utf8' }), '3\n')
  })

  it('keeps the process running while it is closed', () => {
    const text = `
      import { TaskThread } from '#builder/threads'
      const thread = new TaskThread({ doing: 'test', script: new URL(${JSON.stringify(SCRIPT.href)}), settings: {} })
      const ended = thread.run('spin').catch(({ code }) => code)
      await thread.close()
      console.log(await ended)`
    const cwd = new URL('../../../..', import.meta.url)
    const output = execFileSync(process.execPath, ['--eval', text], { cwd, encoding: 'utf8' })
    assert.equal(output, 'CANCELLED\n')
  })

  describe('posts a failure with its', () => {
    it('code, hint and causes', async () => {
      await using thread = startThread()
      const failure = await failureOf(thread.run('failTyped', undefined))
      assert.ok(failure instanceof TsbuildError)
      assert.equal(failure.code, 'LAYER_INVALID')
      assert.equal(failure.hint, 'dry it')
      assert.match(failure.stack ?? '', /failTyped/)
      assert.ok(failure.cause instanceof Error)
      assert.equal(failure.cause.message, 'the disk is wet')
      assert.deepEqual((failure.cause.cause as Error).message, 'rain')
    })

    it('errno, when it is of a system call', async () => {
      await using thread = startThread()
      const failure = await failureOf(thread.run('readFile', '/proc/self/none'))
      assert.equal(errnoOf(failure), 'ENOENT')
      assert.ok('errno' in failure && failure.errno === -2)
      assert.ok('path' in failure && failure.path === '/proc/self/none')
    })

    it('stack, when it is a bug', async () => {
      await using thread = startThread()
      const failure = await failureOf(thread.run('failPlainly', undefined))
      assert.ok(!(failure instanceof TsbuildError))
      assert.equal(failure.message, 'a bug')
      assert.match(failure.stack ?? '', /failPlainly/)
    })

    it('reason, when its result cannot be posted', async () => {
      await using thread = startThread()
      assert.match(
        (await failureOf(thread.run('returnFunction', undefined))).message,
        /could not be cloned/,
      )
      assert.equal(await thread.run('add', { a: 1, b: 2 }), 3)
    })

    it('meaning in this thread', async () => {
      await using thread = startThread({ isTyped: true })
      const failure = await failureOf(thread.run('failPlainly', undefined))
      assert.ok(failure instanceof TsbuildError)
      assert.equal(failure.code, 'STEP_FAILED')
      assert.equal(failure.message, 'failPlainly failed')
      assert.ok(failure.cause instanceof Error)
    })
  })

  describe('whose task is cancelled', () => {
    it('stops at the next checkpoint, and performs the next one', async () => {
      await using thread = startThread()
      const stop = new AbortController()
      const spinning = thread.run('spin', undefined, { signal: stop.signal })
      const next = thread.run('add', { a: 1, b: 2 })
      setTimeout(() => stop.abort(), 50)
      await assert.rejects(spinning, { code: 'CANCELLED' })
      assert.equal(await next, 3)
    })

    it('does not begin one that is cancelled before its turn', async () => {
      await using thread = startThread()
      const [first, second] = [new AbortController(), new AbortController()]
      const spinning = thread.run('spin', undefined, { signal: first.signal })
      const waiting = thread.run('exit', 1, { signal: second.signal })
      second.abort()
      setTimeout(() => first.abort(), 50)
      await assert.rejects(spinning, { code: 'CANCELLED' })
      await assert.rejects(waiting, { code: 'CANCELLED' })
    })

    it('is not requested when the signal is aborted already', async () => {
      await using thread = startThread({ failsToStart: true })
      const signal = AbortSignal.abort()
      await assert.rejects(thread.run('spin', undefined, { signal }), { code: 'CANCELLED' })
    })
  })

  describe('that ends by itself fails its tasks as PEER_GONE', () => {
    it('when it exits, and is started again', async () => {
      await using thread = startThread()
      const exiting = thread.run('exit', 7)
      const waiting = thread.run('add', { a: 1, b: 2 })
      await assert.rejects(exiting, { code: 'PEER_GONE', message: /a worker thread ended/ })
      await assert.rejects(waiting, { code: 'PEER_GONE' })
      assert.equal(await thread.run('add', { a: 3, b: 4 }), 7)
    })

    it('when something is not caught', async () => {
      await using thread = startThread()
      const failure = await failureOf(thread.run('throwLater', undefined))
      assert.ok(failure instanceof TsbuildError)
      assert.equal(failure.code, 'PEER_GONE')
      assert.ok(failure.cause instanceof Error)
      assert.equal(failure.cause.message, 'uncaught')
    })

    it('when it cannot start', async () => {
      await using thread = startThread({ failsToStart: true })
      const failure = await failureOf(thread.run('add', { a: 1, b: 2 }))
      assert.ok(failure instanceof TsbuildError)
      assert.equal(failure.code, 'PEER_GONE')
      assert.ok(failure.cause instanceof Error)
      assert.equal(failure.cause.message, 'cannot start')
    })
  })

  describe('that is closed', () => {
    it('stops its tasks, and takes no more', async () => {
      const closed = new Int32Array(new SharedArrayBuffer(4))
      const thread = startThread({ closed })
      const spinning = assert.rejects(thread.run('spin', undefined), { code: 'CANCELLED' })
      const waiting = assert.rejects(thread.run('spin', undefined), { code: 'CANCELLED' })
      await thread.close()
      assert.equal(Atomics.load(closed, 0), 1)
      await Promise.all([spinning, waiting])
      await assert.rejects(thread.run('add', { a: 1, b: 2 }), { code: 'CANCELLED' })
    })

    it('fails a task that does not stop before the thread ends', async () => {
      const thread = startThread()
      const exiting = assert.rejects(thread.run('throwLater', undefined), { code: 'CANCELLED' })
      await thread.close()
      await exiting
    })

    it('need not have been started', async () => {
      await startThread().close()
    })
  })
})
