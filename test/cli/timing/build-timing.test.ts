import assert from 'node:assert/strict'
import type { BuildEvent, BuildFact, BuildPart } from '#core'
import { TimingRecorder } from '../../../cli/timing/build-timing.ts'
import { timingTable } from '../../../cli/timing/timing-table.ts'

const START = Date.parse('2026-11-29T05:56:23Z')

type Timed = readonly [at: number, fact: BuildFact]

function recorderOf(...events: readonly Timed[]): TimingRecorder {
  const recorder = new TimingRecorder()
  for (const [at, fact] of events) recorder.handle({ ...fact, time: START + at } as BuildEvent)
  return recorder
}

/** A span that is reported at its end. */
function span(part: BuildPart, from: number, to: number): Timed {
  return [to, { type: 'span', part, started: START + from, milliseconds: to - from }]
}

const STEP = { op: 'exec', inputs: [], stage: '0', platform: 'linux/amd64' }

const BUILD: readonly Timed[] = [
  span('start', 0, 100),
  span('parse', 100, 120),
  [
    130,
    {
      type: 'planned',
      vertices: [
        { ...STEP, id: 'a', name: '[1/2] RUN a', lines: { start: 2, end: 2 } },
        { ...STEP, id: 'b', name: '[2/2] RUN b', lines: { start: 3, end: 5 } },
        { ...STEP, id: 'c', name: '[x 1/1] RUN c', lines: { start: 6, end: 6 } },
      ],
    },
  ],
  [140, { type: 'started', vertex: 'c', name: '[x 1/1] RUN c' }],
  [140, { type: 'cached', vertex: 'c', by: 'definition' }],
  [150, { type: 'started', vertex: 'pull', name: 'pull base', part: 'fetch' }],
  [150, { type: 'started', vertex: 'a', name: '[1/2] RUN a', reason: 'no-record' }],
  [250, { type: 'done', vertex: 'pull', milliseconds: 100 }],
  [350, { type: 'done', vertex: 'a', milliseconds: 200 }],
  [350, { type: 'started', vertex: 'b', name: '[2/2] RUN b', reason: 'no-record' }],
  span('packing', 350, 400),
  [800, { type: 'done', vertex: 'b', milliseconds: 450 }],
  span('steps', 240, 800),
  [800, { type: 'started', vertex: 'out', name: 'exporting', part: 'export' }],
  [950, { type: 'done', vertex: 'out', milliseconds: 150 }],
  span('sync', 850, 900),
  [1000, { type: 'warning', message: 'the last event' }],
]

describe('the timing of a build', () => {
  it('says how long each part was under way, and how long it was so alone', () => {
    const { parts } = recorderOf(...BUILD).timing()
    assert.deepEqual(parts, [
      { part: 'start', wall: 100, alone: 100 },
      { part: 'parse', wall: 20, alone: 20 },
      { part: 'fetch', wall: 100, alone: 90 },
      { part: 'steps', wall: 560, alone: 500 },
      { part: 'packing', wall: 50, alone: 0 },
      { part: 'export', wall: 100, alone: 100 },
      { part: 'sync', wall: 50, alone: 50 },
    ])
  })

  it('accounts for all of the time', () => {
    const { total, parts, overlap, other } = recorderOf(...BUILD).timing()
    assert.equal(total, 1000)
    assert.equal(overlap, 60)
    assert.equal(other, 80)
    assert.equal(
      parts.reduce((sum, { alone }) => sum + alone, overlap + other),
      total,
    )
  })

  it('counts work of one part that is done twice at a time once', () => {
    const { parts } = recorderOf(
      span('keys', 0, 50),
      span('keys', 40, 60),
      span('keys', 10, 20),
    ).timing()
    assert.deepEqual(parts, [{ part: 'keys', wall: 60, alone: 60 }])
  })

  it('names the executed steps, slowest first, with their lines', () => {
    assert.deepEqual(recorderOf(...BUILD).timing().steps, [
      { name: '[2/2] RUN b', lines: { start: 3, end: 5 }, milliseconds: 450 },
      { name: '[1/2] RUN a', lines: { start: 2, end: 2 }, milliseconds: 200 },
    ])
  })

  it('of a build that was ended counts what was under way up to its end', () => {
    const { parts, steps } = recorderOf(
      [0, { type: 'started', vertex: 'pull', name: 'pull base', part: 'fetch' }],
      [10, { type: 'started', vertex: 'a', name: 'RUN a', reason: 'no-cache' }],
      [40, { type: 'cancelled', vertex: 'a' }],
      [50, { type: 'warning', message: 'the end' }],
    ).timing()
    assert.deepEqual(parts, [{ part: 'fetch', wall: 50, alone: 50 }])
    assert.deepEqual(steps, [{ name: 'RUN a', milliseconds: 30 }])
  })

  it('takes all that another builder has reported for steps', () => {
    const { parts, steps } = recorderOf(
      [0, { type: 'started', vertex: 'v', name: '[internal] load' }],
      [10, { type: 'done', vertex: 'v', milliseconds: 10 }],
    ).timing()
    assert.deepEqual(parts, [{ part: 'steps', wall: 10, alone: 10 }])
    assert.deepEqual(steps, [{ name: '[internal] load', milliseconds: 10 }])
  })

  it('is zero without events', () => {
    assert.deepEqual(recorderOf().timing(), {
      total: 0,
      parts: [],
      overlap: 0,
      other: 0,
      steps: [],
    })
  })
})

describe('the table of a timing', () => {
  it('has a row for each part, and the slowest steps', () => {
    const table = timingTable(recorderOf(...BUILD).timing(), { own: 310, others: 1050 })
    assert.deepEqual(table.split('\n'), [
      '',
      '                  wall  share     alone',
      'start           0.100s    10%    0.100s',
      'parse           0.020s     2%    0.020s',
      'fetch           0.100s    10%    0.090s',
      'steps           0.560s    56%    0.500s',
      'packing         0.050s     5%    0.000s',
      'export          0.100s    10%    0.100s',
      'sync            0.050s     5%    0.050s',
      'side by side                     0.060s',
      'other                            0.080s',
      'total           1.000s           1.000s',
      '',
      'processor: 0.310s tsbuild, 1.050s steps and other programs',
      '',
      'slowest steps',
      '   0.450s   45%  lines 3-5: [2/2] RUN b',
      '   0.200s   20%  line 2: [1/2] RUN a',
      '',
    ])
  })

  it('says what the processes of a step have used', () => {
    const started = { type: 'started', reason: 'no-record' } as const
    const recorder = recorderOf(
      [0, { ...started, vertex: 'a', name: 'RUN a' }],
      [0, { ...started, vertex: 'b', name: 'RUN b' }],
      [90, { type: 'usage', vertex: 'a', processor: 9, largestProcess: 900 }],
      [
        180,
        {
          ...{ type: 'usage', vertex: 'b', processor: 430 },
          ...{ largestProcess: 3_000_000, memory: 65_650_000 },
        },
      ],
      [100, { type: 'done', vertex: 'a', milliseconds: 100 }],
      [200, { type: 'done', vertex: 'b', milliseconds: 200 }],
    )
    const table = timingTable(recorder.timing(), undefined)
    assert.match(table, /RUN b \(processor 0\.430s, 65\.65MB at its peak\)$/m)
    assert.match(table, /RUN a \(processor 0\.009s, 900B in its largest process\)$/m)
  })

  it('names five steps, and says how many there were', () => {
    const steps = Array.from({ length: 7 }, (_, index): readonly Timed[] => [
      [0, { type: 'started', vertex: `${index}`, name: `RUN ${index}`, reason: 'no-cache' }],
      [index * 100, { type: 'done', vertex: `${index}`, milliseconds: index * 100 }],
    ])
    const ordered = steps.flat().toSorted(([a], [b]) => a - b)
    const table = timingTable(recorderOf(...ordered).timing(), undefined)
    assert.match(table, /^slowest 5 of 7 steps, which took 2\.100s in sum$/m)
    assert.deepEqual([...table.matchAll(/RUN \d/g)].join(), 'RUN 6,RUN 5,RUN 4,RUN 3,RUN 2')
    assert.doesNotMatch(table, /processor/)
  })

  it('shows no control characters', () => {
    const table = timingTable(
      recorderOf(
        [0, { type: 'started', vertex: 'v', name: 'RUN \u001b[2J\u0007x', reason: 'no-cache' }],
        [1, { type: 'done', vertex: 'v', milliseconds: 1 }],
      ).timing(),
      undefined,
    )
    assert.match(table, /RUN .*x$/m)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    assert.doesNotMatch(table, /[\u0000-\u0009\u000b-\u001f]/)
  })
})
