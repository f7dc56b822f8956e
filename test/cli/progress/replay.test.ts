import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { type BuildEvent, digestOf } from '#core'
import { PlainProgress } from '../../../cli/progress/plain-progress.ts'
import { type Progress, TICK } from '../../../cli/progress/progress.ts'
import { RawJsonProgress } from '../../../cli/progress/rawjson-progress.ts'
import { replay } from '../../../cli/progress/replay.ts'
import { formatTime, parseTime } from '../../../cli/progress/solve-status.ts'
import { StatusReader } from '../../../cli/progress/status-reader.ts'
import { LOG_LIMITS } from '../../../cli/progress/step-output.ts'
import { TtyProgress } from '../../../cli/progress/tty-progress.ts'
import { readEvents } from '../support/recorded-events.ts'

const FIXTURES = new URL('../../../../fixtures/cli/progress-plain/', import.meta.url)
const START = Date.parse('2026-11-29T05:56:23.383Z')
const SIZE = { columns: 80, rows: 24, color: true }

const VIEWS: Readonly<Record<string, (screen: Screen) => Progress>> = {
  plain: (screen) => new PlainProgress({ ...screen, limits: LOG_LIMITS }),
  tty: (screen) => new TtyProgress({ ...screen, limits: LOG_LIMITS }, () => SIZE),
}

interface Screen {
  readonly write: (text: string) => void
  readonly now: () => number
}

/** What a view has written when `show` has shown it something. */
function shown(name: string, show: (view: Progress, clock: { now: number }) => void): string {
  let out = ''
  const clock = { now: START }
  const write = (text: string): void => {
    out += text
  }
  const view = VIEWS[name]?.({ write, now: () => clock.now })
  assert.ok(view)
  show(view, clock)
  view.close()
  return out
}

/** The events of a recording, with a tick at every tenth of a second, as while it is live. */
function live(events: readonly BuildEvent[]): (view: Progress, clock: { now: number }) => void {
  return (view, clock) => {
    for (const event of events) {
      while (clock.now + TICK <= event.time) {
        clock.now += TICK
        view.tick()
      }
      clock.now = event.time
      view.handle(event)
    }
  }
}

function linesOf(events: readonly BuildEvent[]): readonly string[] {
  const lines: string[] = []
  const writer = new RawJsonProgress((line) => void lines.push(line))
  for (const event of events) writer.handle(event)
  return lines
}

function eventsOf(lines: readonly string[]): readonly BuildEvent[] {
  const reader = new StatusReader()
  return lines.flatMap((line) => reader.read(Buffer.from(line)))
}

function recording(name: string): readonly BuildEvent[] {
  const text = readFileSync(new URL(`${name}/events.jsonl`, FIXTURES), 'utf8')
  return readEvents(text).flatMap(({ at, event }) =>
    event === undefined ? [] : [{ ...event, time: START + at }],
  )
}

describe('a replay of rawjson', () => {
  for (const name of readdirSync(FIXTURES)) {
    for (const view of Object.keys(VIEWS)) {
      it(`shows ${name} in ${view} as it was shown live`, () => {
        const events = recording(name)
        const expected = shown(view, live(events))
        const replayed = shown(view, (one, clock) => {
          replay(eventsOf(linesOf(events)), one, clock)
        })
        assert.equal(replayed, expected)
        assert.notEqual(expected, '')
      })
    }

    it(`gives ${name} back, event by event and byte by byte`, () => {
      const lines = linesOf(recording(name))
      assert.ok(lines.length > 0)
      assert.deepEqual(eventsOf(lines), recording(name))
      assert.deepEqual(linesOf(eventsOf(lines)), lines)
    })
  }

  it('keeps what BuildKit has no field for, and every digit of a time', () => {
    const at = (offset: number): number => START + offset
    const events: readonly BuildEvent[] = [
      { type: 'warning', message: 'before all', time: at(0.1) },
      {
        type: 'planned',
        vertices: [
          {
            platform: 'linux/arm64',
            id: 'v',
            name: 'RUN x',
            op: 'exec',
            inputs: ['u'],
            stage: 'a',
            lines: { start: 2, end: 3 },
          },
        ],
        time: at(0.7),
      },
      { type: 'started', vertex: 'v', name: 'RUN x', reason: 'input-changed', time: at(1 / 3) },
      { type: 'log', vertex: 'v', stream: 'stdout', data: Buffer.from([0xff, 0]), time: at(1.1) },
      { type: 'progress', vertex: 'v', id: 'l', current: 2, done: false, time: at(1.2) },
      {
        ...{ type: 'usage', vertex: 'v', time: at(1.25) },
        ...{ processor: 12.345678, largestProcess: 4096, memory: 65_536 },
      },
      { type: 'done', vertex: 'v', milliseconds: 0.123456789, key: 'k', time: at(1.3) },
      { type: 'span', part: 'keys', started: at(1 / 7), milliseconds: 0.7, time: at(1.35) },
      { type: 'started', vertex: 'p', name: 'pull x', part: 'fetch', time: at(1.38) },
      { type: 'started', vertex: 'u', name: 'COPY', time: at(1.4) },
      { type: 'cached', vertex: 'u', by: 'content', key: 'k', time: at(1.5) },
      { type: 'warning', vertex: 'v', message: 'm', line: 4, rule: 'R', url: 'u', time: at(1.6) },
    ]
    const lines = linesOf(events)
    assert.deepEqual(eventsOf(lines), events)
    assert.deepEqual(linesOf(eventsOf(lines)), lines)
  })

  it("reads plans and warnings of BuildKit's lines", () => {
    const short = Buffer.from('FromAsCasing: casing (line 3)').toString('base64')
    const range = '[{"start":{"line":3},"end":{"line":3}}]'
    const lines = [
      '{"vertexes":[{"digest":"a","name":"A"},{"digest":"b","inputs":["a"],"name":"B"}]}',
      '{"vertexes":[{"digest":"a","name":"A","started":"1970-01-01T00:00:00.001Z"}]}',
      `{"warnings":[{"vertex":"a","level":1,"short":"${short}","url":"u","range":${range}}]}`,
    ]
    const unknown = { op: '', stage: '', lines: { start: 0, end: 0 }, platform: '' }
    const warning = { vertex: 'a', message: 'casing', rule: 'FromAsCasing', line: 3, url: 'u' }
    assert.deepEqual(eventsOf(lines), [
      {
        type: 'planned',
        vertices: [
          { id: 'a', name: 'A', inputs: [], ...unknown },
          { id: 'b', name: 'B', inputs: ['a'], ...unknown },
        ],
        time: 0,
      },
      { type: 'started', vertex: 'a', name: 'A', time: 1 },
      { type: 'warning', ...warning, time: 1 },
    ])
  })

  it('reads the fields of BuildKit where it does not understand the event', () => {
    const own = JSON.stringify({ type: 'later', time: 1 })
    const vertex = '{"digest":"a","name":"A","started":"1970-01-01T00:00:00.002Z"}'
    const events = eventsOf([`{"vertexes":[${vertex}],"tsbuild":${own}}`])
    assert.deepEqual(events, [{ type: 'started', vertex: 'a', name: 'A', time: 2 }])
  })

  it("reads BuildKit's own lines", () => {
    const digest = `sha256:${'7'.repeat(64)}`
    const started = '2026-11-29T05:56:23.501382534Z'
    const lines = [
      `{"vertexes":[{"digest":"${digest}","inputs":["x"],"name":"[2/2] RUN"}]}`,
      `{"vertexes":[{"digest":"${digest}","name":"[2/2] RUN","started":"${started}"}]}`,
      `{"logs":[{"vertex":"${digest}","stream":1,"data":"SGkK","timestamp":"2026-11-29T05:56:23.67Z"}]}`,
      `{"vertexes":[{"digest":"${digest}","name":"[2/2] RUN","started":"${started}","completed":"2026-11-29T05:56:23.704199438Z"}],"warnings":[{"vertex":"x","sourceInfo":{}}]}`,
    ]
    const output = shown('plain', (view, clock) => replay(eventsOf(lines), view, clock))
    assert.equal(output, '#1 [2/2] RUN\n#1 0.169 Hi\n#1 DONE 0.2s\n')
  })
})

describe('rawjson', () => {
  const vertex = 'linux/amd64 v1'
  const digest = digestOf(vertex)

  it("has BuildKit's objects", () => {
    const planned = { op: 'exec', stage: 'a', lines: { start: 2, end: 2 }, platform: 'linux/amd64' }
    const lines = linesOf([
      {
        type: 'planned',
        vertices: [{ id: vertex, name: 'RUN x', inputs: ['linux/amd64 v0'], ...planned }],
        time: START,
      },
      { type: 'started', vertex, name: 'RUN x', time: START + 1.5 },
      { type: 'progress', vertex, id: 'l', current: 3, total: 9, done: true, time: START + 2 },
      { type: 'log', vertex, stream: 'stderr', data: Buffer.from('x\n'), time: START + 2 },
      { type: 'warning', message: 'm', rule: 'R', line: 4, url: 'u', time: START + 3 },
      { type: 'cancelled', vertex, time: START + 4 },
    ])
    const known = { digest, inputs: [digestOf('linux/amd64 v0')], name: 'RUN x' }
    const started = '2026-11-29T05:56:23.384500000Z'
    const timestamp = '2026-11-29T05:56:23.385000000Z'
    const position = { line: 4, character: 0 }
    assert.deepEqual(
      lines.map((line) => {
        const { tsbuild: _, ...status } = JSON.parse(line)
        return status
      }),
      [
        { vertexes: [known] },
        { vertexes: [{ ...known, started }] },
        {
          statuses: [
            {
              id: 'l',
              vertex: digest,
              name: 'transferring',
              total: 9,
              current: 3,
              timestamp,
              started: timestamp,
              completed: timestamp,
            },
          ],
        },
        { logs: [{ vertex: digest, stream: 2, data: 'eAo=', timestamp }] },
        {
          vertexes: [{ digest: digestOf('warnings'), name: '[internal] warnings' }],
          warnings: [
            {
              vertex: digestOf('warnings'),
              level: 1,
              short: Buffer.from('R: m (line 4)').toString('base64'),
              url: 'u',
              range: [{ start: position, end: position }],
            },
          ],
        },
        {
          vertexes: [
            {
              ...known,
              started,
              completed: '2026-11-29T05:56:23.387000000Z',
              error: 'context canceled',
            },
          ],
        },
      ],
    )
    assert.ok(lines.every((line) => line.endsWith('}\n')))
  })

  it('announces the vertex of each warning', () => {
    const warning = { type: 'warning', message: 'm', time: START } as const
    const [first, second] = linesOf([warning, warning]).map((line) => JSON.parse(line))
    assert.equal(first.vertexes[0].name, '[internal] warnings')
    assert.equal(first.warnings[0].vertex, first.vertexes[0].digest)
    assert.equal(second.vertexes, undefined)
    assert.equal(second.warnings[0].vertex, first.vertexes[0].digest)
  })

  it('has times that are read as they were written', () => {
    assert.equal(formatTime(START + 0.25), '2026-11-29T05:56:23.383250000Z')
    assert.equal(parseTime(formatTime(START + 0.25)), START + 0.25)
    assert.equal(formatTime(1.000003), '1970-01-01T00:00:00.001000003Z')
    assert.equal(formatTime(0.9999999), '1970-01-01T00:00:00.001000000Z')
    assert.equal(parseTime('2026-11-29T06:56:23+01:00'), Math.floor(START / 1000) * 1000)
    assert.ok(Number.isNaN(parseTime('yesterday')))
  })
})
