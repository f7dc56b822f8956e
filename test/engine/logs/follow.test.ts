import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { ContainerLog, LogLine, ReadOptions } from '#engine/logs'
import { type TemporaryDirectory, temporaryDirectory } from '../../support/peers/index.ts'
import { BOTH, collect, logIn, textOf } from './support/log-lab.ts'

/** Small files of which many are kept. */
const MANY_FILES = { 'max-size': '3k', 'max-file': '400' }

describe('following the log of a container', () => {
  let top: TemporaryDirectory
  beforeEach(() => {
    top = temporaryDirectory('logs')
  })
  afterEach(() => top[Symbol.dispose]())

  it('gives what is there and what comes, across rotations, until it ends', async () => {
    for (const options of [{}, MANY_FILES, { ...MANY_FILES, compress: 'true' }]) {
      const log = logIn(top.file(`log${Object.keys(options).length}`), { options })
      await log.write('stdout', Buffer.from('before\n'))
      const readers = [follow(log), follow(log), follow(log, { tail: 0 })]
      const printed: string[] = []
      for (let number = 0; number < 3_000; number++) {
        const line = `line ${number}\n`
        printed.push(line)
        await log.write('stdout', Buffer.from(line))
        if (number % 100 === 0) await delay(1)
      }
      await log[Symbol.asyncDispose]()
      const [first, second, third] = await Promise.all(readers.map(({ text }) => text))
      assert.equal(first, `before\n${printed.join('')}`)
      assert.equal(second, first)
      assert.ok(third !== undefined && printed.join('').endsWith(third))
    }
  })

  it('waits for a file that is not there yet, and for what was printed before it ends', async () => {
    await using log = logIn(top.file('log'))
    const { text } = follow(log)
    await delay(5)
    await log.write('stdout', Buffer.from('late\nopen'))
    await delay(5)
    await log.end()
    assert.equal(await text, 'late\nopen')
    // The container was started again.
    log.begin()
    const again = follow(log, { tail: 0 })
    await delay(5)
    await log.write('stdout', Buffer.from(' end\n'))
    await log.end()
    assert.equal(await again.text, ' end\n')
  })

  it('ends at once where the container ended before the first line was asked for', async () => {
    await using log = logIn(top.file('log'))
    const asked = log.follow({ streams: BOTH, signal: new AbortController().signal })
    await log.end()
    assert.deepEqual(await collect(asked), [])
    assert.equal(await follow(log).text, '')
  })

  it('ends when it is stopped, and at the time that was named', async () => {
    await using log = logIn(top.file('log'))
    await log.write('stdout', Buffer.from('one\n'))
    const stopped = follow(log)
    const until = BigInt(Date.now() + 60) * 1_000_000n
    const timed = follow(log, { until })
    await delay(10)
    stopped.stop()
    assert.equal(await stopped.text, 'one\n')
    await delay(100)
    await log.write('stdout', Buffer.from('too late\n'))
    assert.equal(await timed.text, 'one\n')
  })

  it('never makes the container wait for a reader, which loses only what was removed', async () => {
    const log = logIn(top.file('log'), { options: { 'max-size': '1m', 'max-file': '3' } })
    await log.write('stdout', Buffer.from('0\n'))
    const reader = log.follow({ streams: BOTH, signal: new AbortController().signal })
    const lines = reader[Symbol.asyncIterator]()
    const got = [await lines.next()].map(({ value }) => Number(text(value)))
    for (let number = 1; number < 60_000; number += 200) {
      const part = Array.from({ length: 200 }, (_, index) => `${number + index}\n`)
      await log.write('stdout', Buffer.from(part.join('')))
    }
    await log.end()
    const kept = (await textOf(log)).split('\n').slice(0, -1).map(Number)
    for (let next = await lines.next(); !next.done; next = await lines.next()) {
      got.push(Number(text(next.value)))
    }
    await log[Symbol.asyncDispose]()
    const end = got.slice(got.indexOf(kept[0] ?? -1))
    assert.deepEqual(end, kept)
    assert.ok(kept.length > 10_000 && got.length > kept.length, `${got.length} of ${kept.length}`)
    // The file that it was in when it was renamed and removed is read to its end.
    const gap = got.findIndex((number, index) => index > 0 && number !== (got[index - 1] ?? 0) + 1)
    assert.ok(gap > 5_000, `${gap}`)
  })
})

interface Following {
  readonly text: Promise<string>
  stop(): void
}

function follow(log: ContainerLog, options: Partial<ReadOptions> = {}): Following {
  const controller = new AbortController()
  const { signal } = controller
  const lines = collect(log.follow({ streams: BOTH, ...options, signal }))
  return { text: lines.then((all) => all.map(text).join('')), stop: () => controller.abort() }
}

function text({ data }: LogLine): string {
  return Buffer.from(data).toString()
}
