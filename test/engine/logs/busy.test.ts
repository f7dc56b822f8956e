import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { type ContainerLog, checkLogOptions, type LogLine } from '#engine/logs'
import { temporaryDirectory } from '../../support/peers/index.ts'
import { lagFault, watchEventLoop } from '../../support/watch/watch.ts'
import { BOTH, linesOf, logIn } from './support/log-lab.ts'

const CONTAINERS = 20
const LINES = 20_000
const LINE = `${'x'.repeat(99)}\n`
const BYTES = LINES * LINE.length

describe('logs of many containers', () => {
  it('let the event loop have its turns, lose nothing, and wait for no reader', async () => {
    using top = temporaryDirectory('logs')
    const before = process.memoryUsage().rss
    let most = before
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().rss)
    }, 10)
    const stop = watchEventLoop()
    const logs = Array.from({ length: CONTAINERS }, (_, index) => logIn(top.file(`${index}`)))
    const stalled = logs.map(stalledReader)
    await Promise.all(logs.map(print))
    clearInterval(watch)
    assert.equal(lagFault(stop(), Number.POSITIVE_INFINITY), undefined)
    const grown = (most - before) / 2 ** 20
    assert.ok(grown < 250, `memory grew by ${grown} MiB`)
    // A reader that wakes up late has missed nothing.
    const lines = await Promise.all([stalled[0]?.(), linesOf(logs[1] ?? missing())])
    for (const all of lines) {
      assert.equal(all?.length, LINES)
      assert.ok(all.every(({ data }) => Buffer.from(data).toString() === LINE))
    }
  })

  it('drop lines beyond the buffer where containers shall not wait', async () => {
    using top = temporaryDirectory('logs')
    const options = { mode: 'non-blocking', 'max-buffer-size': '10k' }
    const driver = checkLogOptions('json-file', options)
    await using log = logIn(top.file('log'), { driver, options })
    for (let number = 0; number < 1_000; number++) {
      // In one turn of the event loop, so that nothing is written between them.
      assert.equal(log.write('stdout', Buffer.from(LINE)), undefined)
    }
    await log.end()
    assert.equal((await linesOf(log)).length, 102)
    log.write('stdout', Buffer.from(LINE))
    assert.equal((await linesOf(log)).length, 103)
  })

  it('make containers wait for a slow disk, with little in memory', async () => {
    using top = temporaryDirectory('logs')
    await using log = logIn(top.file('log'))
    const chunk = Buffer.from(LINE.repeat(600))
    let taken = 0
    while (log.write('stdout', chunk) === undefined) taken += chunk.length
    assert.ok(taken > 50_000 && taken < 1_000_000, `${taken} bytes`)
    await log.write('stdout', chunk)
    assert.equal((await linesOf(log)).length, (taken / chunk.length + 2) * 600)
  })
})

function missing(): never {
  throw new Error('there is a second one')
}

/** Takes one line, and the others when it is called. */
function stalledReader(log: ContainerLog): () => Promise<readonly LogLine[]> {
  const signal = new AbortController().signal
  const lines = log.follow({ streams: BOTH, signal })[Symbol.asyncIterator]()
  const first = lines.next()
  return async () => {
    const all: LogLine[] = []
    for (let next = await first; !next.done; next = await lines.next()) all.push(next.value)
    return all
  }
}

async function print(log: ContainerLog): Promise<void> {
  const script = `yes ${LINE.trim()} | head -c ${BYTES}`
  const child: ChildProcess = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const chunk of child.stdout ?? []) await log.write('stdout', chunk)
  await log.end()
}
