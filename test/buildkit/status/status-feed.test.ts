import assert from 'node:assert/strict'
import { STATUS_RESPONSE } from '#buildkit/messages'
import { StatusFeed } from '#buildkit/status'
import { collect, done, play, printed, START, started } from './support/event-script.ts'
import { shownOutput, shownParts, shownVertices } from './support/shown-vertices.ts'

const SECONDS = START / 1000

describe('the status of a build', () => {
  let feed: StatusFeed

  beforeEach(() => {
    feed = new StatusFeed({ ref: 'one' })
  })
  afterEach(() => feed.close())

  it('is the same for a reader before, one during and one after the build', async () => {
    const early = collect(feed.read())
    play(feed, [[0, started('a')]])
    const late = feed.read()
    const first = await late.next()
    assert.equal(first.done, false)
    play(feed, [
      [1, printed('a', 'text\n')],
      [2, done('a')],
      [3, started('b')],
    ])
    feed.close()
    const after = await collect(feed.read())
    const readers = [await early, [first.value, ...(await collect(late))], after]
    for (const responses of readers) {
      const vertices = [...shownVertices(responses.flatMap((one) => one ?? [])).values()]
      assert.deepEqual(
        vertices.map(({ name, isCompleted, error }) => ({ name, isCompleted, error })),
        [
          { name: 'a', isCompleted: true, error: '' },
          { name: 'b', isCompleted: true, error: 'context canceled' },
        ],
      )
      assert.equal(
        shownOutput(
          responses.flatMap((one) => one ?? []),
          'a',
        ),
        'text\n',
      )
    }
  })

  it('has the times of events, to the nanosecond where they are', async () => {
    play(feed, [
      [0.25, started('a')],
      [1.000_25, done('a')],
    ])
    feed.close()
    const [vertex] = (await collect(feed.read())).flatMap(({ vertexes }) => vertexes)
    assert.deepEqual(vertex?.started, { seconds: SECONDS, nanos: 250_000_000 })
    assert.deepEqual(vertex?.completed, { seconds: SECONDS + 1, nanos: 250_000 })
  })

  it('has vertices that differ between builds, and between the builds of one feed', async () => {
    const digests = new Set<string>()
    for (const ref of ['x', 'y']) {
      const one = new StatusFeed({ ref })
      for (const scope of ['', 'nested', '']) {
        one.listener({ scope })({ ...started('v0'), time: START })
      }
      one.close()
      for (const digest of shownVertices(await collect(one.read())).keys()) digests.add(digest)
    }
    assert.equal(digests.size, 4)
    for (const digest of digests) assert.match(digest, /^sha256:[0-9a-f]{64}$/)
  })

  it('comes in batches', async () => {
    const batches: number[] = []
    const reading = (async () => {
      for await (const { vertexes } of feed.read()) batches.push(vertexes.length)
    })()
    for (let index = 0; index < 50; index++) {
      play(feed, [[index, started(`v${index}`)]])
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    feed.close()
    await reading
    assert.equal(batches.reduce((sum, count) => sum + count, 0) >= 50, true)
    assert.ok(batches.length < 10, `${batches.length} batches`)
  })

  it('ends for a reader that stops, also while nothing happens', async () => {
    const stop = new AbortController()
    play(feed, [[0, started('a')]])
    const reading = collect(feed.read(stop.signal))
    await new Promise((resolve) => setTimeout(resolve, 150))
    stop.abort()
    assert.equal((await reading).length, 1)
    assert.deepEqual(await collect(feed.read(stop.signal)), [])
  })

  it('leaves out what comes after its end', async () => {
    feed.close()
    play(feed, [[0, started('a')]])
    assert.deepEqual(await collect(feed.read()), [])
  })

  it('ends the parts of a vertex with it: clients wait for them', async () => {
    play(feed, [
      [0, started('pull v0', 'pull base')],
      [0, { type: 'progress', vertex: 'pull v0', id: 'layer', current: 5, total: 9, done: false }],
      [1, { type: 'failed', vertex: 'pull v0', message: 'refused', milliseconds: 1000 }],
    ])
    feed.close()
    const [status, ...more] = (await collect(feed.read())).flatMap(({ statuses }) => statuses)
    assert.deepEqual(more, [])
    assert.partialDeepStrictEqual(status, {
      ID: 'layer',
      current: 5,
      total: 9,
      started: { seconds: SECONDS, nanos: 0 },
      completed: { seconds: SECONDS + 1, nanos: 0 },
    })
  })

  it('has texts that are text in protocol buffers, too', async () => {
    const name = 'RUN \ud800 x'
    play(feed, [
      [0, started('a', name)],
      [0, { type: 'progress', vertex: 'a', id: '\udfff', current: 1, done: true }],
      [0, { type: 'failed', vertex: 'a', message: '\ud801', milliseconds: 0 }],
    ])
    feed.close()
    const bytes = (await collect(feed.read())).map((one) => STATUS_RESPONSE.encode(one))
    const decoded = bytes.map((one) => STATUS_RESPONSE.decode(one))
    const [vertex] = decoded.flatMap((one) => one.vertexes)
    assert.equal(vertex?.name, 'RUN \ufffd x')
    assert.equal(vertex?.error, '\ufffd')
    assert.equal(decoded.flatMap((one) => one.statuses)[0]?.ID, '\ufffd')
  })

  it('has responses that are not too long', async () => {
    const long = 'x'.repeat(60_000)
    for (let index = 0; index < 100; index++) {
      play(feed, [[index, started(`v${index}`, `${index} ${long}`)]])
    }
    for (let second = 0; second < 30; second++) {
      play(feed, [[100 + second, printed('v99', Buffer.alloc(100_000, 'y'))]])
    }
    feed.close()
    const responses = await collect(feed.read())
    const sizes = responses.map((one) => STATUS_RESPONSE.encode(one).length)
    assert.ok(Math.max(...sizes) < 2 * 1024 * 1024)
    assert.equal(shownVertices(responses).size, 100)
    assert.ok(responses.length > 5)
  })

  it('merges what BuildKit has as one vertex', async () => {
    play(feed, [
      [0, started('output 0 pushing host/a', 'pushing host/a')],
      [1, { type: 'progress', vertex: 'output 0 pushing host/a', id: 'x', current: 1, done: true }],
      [
        2,
        {
          ...{ type: 'done', vertex: 'output 0 pushing host/a', milliseconds: 1 },
          exported: {
            root: 'sha256:r',
            isIndex: false,
            configs: ['sha256:c'],
            names: ['host/a:1'],
          },
        },
      ],
      [3, started('output 0 pushing host/b', 'pushing host/b')],
      [4, done('output 0 pushing host/b')],
      [5, started('cache 0 layers', 'sending layers to host/c:1')],
      [6, done('cache 0 layers')],
      [7, started('cache 0 to host/c:1', 'exporting cache to host/c:1')],
      [8, done('cache 0 to host/c:1')],
      [9, started('cache from host/c:1', 'importing cache from host/c:1')],
    ])
    feed.close()
    const parts = shownParts(await collect(feed.read()))
    assert.deepEqual([...parts.keys()], ['exporting to image'])
    assert.deepEqual([...(parts.get('exporting to image') ?? [])].toSorted(), [
      ...['exporting config sha256:c', 'exporting layers', 'exporting manifest sha256:r'],
      ...['pushing layers', 'pushing manifest for host/a:1@sha256:r'],
    ])
    const names = [...shownVertices(await collect(feed.read())).values()].map(({ name }) => name)
    assert.deepEqual(names, [
      'exporting to image',
      'exporting cache to registry',
      'importing cache manifest from host/c:1',
    ])
  })
})
