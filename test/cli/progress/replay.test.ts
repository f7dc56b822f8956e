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
  }

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
      lines.map((line) => JSON.parse(line)),
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
          warnings: [
            {
              vertex: digestOf(''),
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

  it('has times that are read as they were written', () => {
    assert.equal(formatTime(START + 0.25), '2026-11-29T05:56:23.383250000Z')
    assert.equal(parseTime(formatTime(START + 0.25)), START + 0.25)
    assert.equal(parseTime('2026-11-29T06:56:23+01:00'), Math.floor(START / 1000) * 1000)
    assert.ok(Number.isNaN(parseTime('yesterday')))
  })
})
