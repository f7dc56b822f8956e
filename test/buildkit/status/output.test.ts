import assert from 'node:assert/strict'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { StatusResponse } from '#buildkit/messages'
import { StatusFeed } from '#buildkit/status'
import { LOG_LIMITS } from '../../../buildkit/status/log-clip.ts'
import { until } from '../../support/peers/index.ts'
import { collect, done, play, printed, START, started } from './support/event-script.ts'
import { shownOutput } from './support/shown-vertices.ts'

const MIB = 1024 * 1024
const UNLIMITED = { size: -1, speed: -1 }

async function outputOf(feed: StatusFeed): Promise<string> {
  feed.close()
  return shownOutput(await collect(feed.read()), 'a')
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Bytes of buffers that something refers to. */
function arrayBuffers(): number {
  collectGarbage()
  return process.memoryUsage().arrayBuffers
}

function logsOf(responses: readonly StatusResponse[]): StatusResponse['logs'] {
  return responses.flatMap(({ logs }) => logs)
}

describe('the output of steps, for clients', () => {
  it('keeps its streams, its order and its times', async () => {
    const feed = new StatusFeed({ ref: 'x' })
    play(feed, [
      [0, started('a')],
      [0.5, printed('a', '1')],
      [0.51, printed('a', '2\n')],
      [0.52, printed('a', 'bad\n', 'stderr')],
      [0.53, printed('a', '3\n')],
      [0.9, printed('a', '4\n')],
    ])
    feed.close()
    const logs = logsOf(await collect(feed.read()))
    assert.deepEqual(
      logs.map(({ stream, msg, timestamp }) => [stream, msg.toString(), timestamp?.nanos]),
      [
        [1, '12\n', 500_000_000],
        [2, 'bad\n', 520_000_000],
        [1, '3\n', 530_000_000],
        [1, '4\n', 900_000_000],
      ],
    )
  })

  it('is copied: the bytes of events may be used again', async () => {
    const feed = new StatusFeed({ ref: 'x' })
    const data = Buffer.from('text')
    feed.listener()({ ...{ type: 'log', vertex: 'a', stream: 'stdout', data }, time: START })
    feed.listener()({ ...started('a'), time: START })
    data.fill('!')
    assert.equal(await outputOf(feed), 'text')
  })

  it('is clipped where a step prints too fast, and goes on in the next second', async () => {
    const feed = new StatusFeed({ ref: 'x' })
    play(feed, [
      [0, started('a')],
      [0.1, printed('a', Buffer.alloc(300 * 1024, 'x'))],
      [0.2, printed('a', 'hidden')],
      [0.2, printed('a', 'other', 'stderr')],
      [2.5, printed('a', 'shown\n')],
      [2.6, done('a')],
    ])
    const text = await outputOf(feed)
    const note = '\n[output clipped, log limit 200KiB/s reached]\n'
    assert.equal(
      text.replace(/x+/, (run) => `<${run.length}>`),
      `<204800>${note}othershown\n`,
    )
  })

  it('is clipped where there is too much of it, and ends with its end', async () => {
    const feed = new StatusFeed({ ref: 'x', limits: { ...LOG_LIMITS, speed: -1 } })
    play(feed, [
      [0, started('a')],
      [1, printed('a', Buffer.alloc(2 * MIB, 'x'))],
      [2, printed('a', Buffer.alloc(MIB, 'y'))],
      [3, printed('a', 'last words\n')],
      [4, done('a')],
    ])
    const text = (await outputOf(feed)).replace(/(.)\1{99,}/g, (run) => `<${run[0]} ${run.length}>`)
    const note = '\n[output clipped, log limit 2MiB reached]\n'
    const tail = 256 * 1024 - 'last words\n'.length
    assert.equal(text, `<x ${2 * MIB}>${note}<y ${tail}>last words\n`)
  })

  it('takes no more memory than is stated, and says what a late reader has missed', async () => {
    const feed = new StatusFeed({ ref: 'x', limits: UNLIMITED, logCapacity: MIB })
    play(feed, [[0, started('a')]])
    const before = arrayBuffers()
    for (let index = 0; index < 200; index++) {
      play(feed, [[index, printed('a', Buffer.alloc(MIB / 2, `${index % 10}`))]])
    }
    // Buffers are freed in the background.
    await until(() => arrayBuffers() - before < 5 * MIB)
    const text = (await outputOf(feed)).replace(/(.)\1{99,}/g, (run) => `<${run[0]} ${run.length}>`)
    assert.equal(text, `\n[output clipped, log limit 1MiB of a build reached]\n<9 ${MIB / 2}>`)
  })

  it('of single bytes takes as little', async () => {
    const feed = new StatusFeed({ ref: 'x', limits: UNLIMITED })
    play(feed, [[0, started('a')]])
    for (let index = 0; index < 100_000; index++) {
      play(feed, [[index / 1e6, printed('a', index % 50 === 49 ? '\n' : 'x')]])
    }
    feed.close()
    const logs = logsOf(await collect(feed.read()))
    assert.equal(
      logs.reduce((sum, { msg }) => sum + msg.length, 0),
      100_000,
    )
    assert.ok(logs.length < 2000, `${logs.length} pieces`)
  })

  it('does not wait for a reader that is slow, which is told what it has missed, once', async () => {
    const feed = new StatusFeed({ ref: 'x', limits: UNLIMITED, logCapacity: MIB })
    play(feed, [
      [0, started('a')],
      [0, printed('a', 'first\n')],
    ])
    const slow = feed.read()
    const got = [(await slow.next()).value]
    for (let index = 0; index < 20; index++) {
      play(feed, [[1 + index, printed('a', Buffer.alloc(MIB / 4, 'x'))]])
    }
    feed.close()
    for await (const one of slow) got.push(one)
    const text = shownOutput(
      got.flatMap((one) => one ?? []),
      'a',
    )
    const shown = text.replace(/x+/g, (run) => `<${run.length}>`)
    const note = '\n[output clipped, log limit 1MiB of a build reached]\n'
    assert.equal(shown, `first\n${note}<${(3 * MIB) / 4}>`)
  })
})
