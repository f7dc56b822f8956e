import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import type { BuildFact } from '#core'
import { LOG_LIMITS } from '../../../cli/progress/step-output.ts'
import { openTty, TtyProgress } from '../../../cli/progress/tty-progress.ts'
import type { Shell } from '../../../cli/terminal/shell.ts'
import { fakeShell } from '../support/fake-shell.ts'
import { VirtualScreen } from '../support/virtual-screen.ts'

class Player {
  readonly screen: VirtualScreen
  readonly writes: string[] = []
  readonly progress: TtyProgress
  columns: number
  now = 0

  constructor(columns: number, rows: number, color = false) {
    this.screen = new VirtualScreen(columns, rows)
    this.columns = columns
    const write = (text: string): void => {
      this.writes.push(text)
      this.screen.write(text)
    }
    const options = { write, now: () => this.now, limits: LOG_LIMITS }
    this.progress = new TtyProgress(options, () => ({ columns: this.columns, rows, color }))
  }

  play(at: number, ...events: readonly BuildFact[]): readonly string[] {
    this.now = at
    for (const event of events) this.progress.handle(event)
    this.progress.tick()
    return this.screen.lines()
  }
}

const started = (vertex: string, name: string): BuildFact => ({ type: 'started', vertex, name })
const done = (vertex: string, milliseconds: number): BuildFact => ({
  type: 'done',
  vertex,
  milliseconds,
})
const log = (vertex: string, text: string): BuildFact => ({
  type: 'log',
  vertex,
  stream: 'stdout',
  data: Buffer.from(text),
})

describe('the live view', () => {
  it('shows a line for each vertex, output and transfers under those that run', () => {
    const player = new Player(60, 20)
    player.play(100, started('a', '[1/3] FROM debian'), started('b', '[2/3] RUN make'))
    const id = `sha256:${'0123456789abcdef'.repeat(4)}`
    const transfer = { type: 'progress', vertex: 'a', id, done: false } as const
    const lines = player.play(
      600,
      { ...transfer, current: 1_300_000, total: 2_000_000 },
      log('b', 'cc a.c\n\x1b[31mcc\x1b[0m b.c'),
    )
    assert.deepEqual(lines, [
      '[+] Building 0.6s (0/2)',
      ' => [1/3] FROM debian                                   0.5s',
      ' => => sha256:0123456789ab [#############-------] 65% … 0.0s',
      ' => [2/3] RUN make                                      0.5s',
      ' => => # 0.500 cc a.c',
      ' => => # 0.500 cc b.c',
    ])
    const last = player.play(2000, done('a', 1500), done('b', 1900), started('c', '[3/3] COPY'))
    assert.deepEqual(last, [
      '[+] Building 2.0s (2/3)',
      ' => [1/3] FROM debian                                   1.5s',
      ' => [2/3] RUN make                                      1.9s',
      ' => [3/3] COPY                                          0.0s',
    ])
  })

  it('marks what was cached, failed or cancelled', () => {
    const player = new Player(40, 20)
    player.play(0, started('a', 'a'), started('b', 'b'), started('c', 'c'))
    player.play(
      1000,
      { type: 'cached', vertex: 'a' },
      { type: 'failed', vertex: 'b', message: 'no', milliseconds: 900 },
      { type: 'cancelled', vertex: 'c' },
    )
    player.progress.close()
    assert.deepEqual(player.screen.lines(), [
      '[+] Building 1.0s (3/3) FINISHED',
      ' => CACHED a                        0.0s',
      ' => ERROR b                         0.9s',
      ' => CANCELED c                      1.0s',
    ])
  })

  it('draws every frame with one write that starts where the last one did', () => {
    const player = new Player(40, 20)
    player.play(0, started('a', 'a'), log('a', '1\n2\n3\n4\n5\n6\n7\n8\n'))
    player.play(100)
    const lines = player.play(200, done('a', 1))
    assert.equal(player.writes.length, 3)
    assert.deepEqual(lines, ['[+] Building 0.2s (1/1)', ' => a                               0.0s'])
    assert.deepEqual(player.screen.scrolledOff, [])
  })

  it('never scrolls while it runs, however many vertices there are, and shows all at the end', () => {
    const player = new Player(40, 8)
    for (let i = 0; i < 30; i += 1) {
      player.play(i * 100, started(`v${i}`, `step ${i}`), log(`v${i}`, 'x\n'.repeat(9)))
      assert.ok(player.screen.lines().length < 8)
      if (i < 27) player.play(i * 100 + 50, done(`v${i}`, 50))
    }
    assert.deepEqual(player.screen.scrolledOff, [])
    const shown = player.screen.lines().filter((line) => line.startsWith(' => step'))
    assert.deepEqual(
      shown.map((line) => line.slice(4, 11)),
      ['step 27', 'step 28', 'step 29'],
    )
    player.progress.close()
    const all = [...player.screen.scrolledOff, ...player.screen.lines()]
    assert.equal(all.filter((line) => line.startsWith(' => step')).length, 30)
    assert.equal(all.filter((line) => line.startsWith('[+]')).length, 1)
  })

  it('leaves no rests behind when the terminal gets narrower', () => {
    const player = new Player(20, 30)
    player.columns = 60
    player.now = 0
    player.progress.handle(started('a', 'a name that is rather long for a terminal'))
    player.progress.tick()
    player.columns = 20
    const lines = player.play(100)
    assert.deepEqual(lines, ['[+] Building 0.1s (…', ' => a name tha… 0.1s'])
  })

  it('cuts what is wider than the terminal, by columns', () => {
    const player = new Player(30, 10)
    const lines = player.play(0, started('a', '日本語'.repeat(10)), log('a', `${'x'.repeat(99)}\n`))
    assert.deepEqual(lines.slice(1), [
      ' => 日本語日本語日本語日… 0.0s',
      ' => => # 0.000 xxxxxxxxxxxxxx…',
    ])
  })

  for (const [columns, rows, width] of [
    [0, 0, 80],
    [undefined, undefined, 80],
    [0, 50, 80],
    [33, 10, 33],
  ] as const) {
    it(`is ${width} columns wide on a terminal of ${columns}×${rows}`, () => {
      let written = ''
      const write = (text: string): void => {
        written += text
      }
      const options = { write, now: () => 0, limits: LOG_LIMITS }
      const stderr = Object.assign(new PassThrough(), { isTTY: true, columns, rows })
      const view = openTty(options, { ...fakeShell(), stderr } as Shell)
      view.handle({ ...started('a', 'x'.repeat(200)), time: 0 })
      view.tick()
      view.close()
      assert.equal(
        written
          .split('\n')
          .find((line) => line.includes('xxx'))
          ?.replace('\x1b[K', '').length,
        width,
      )
    })
  }

  it('hides the cursor and gives it back', () => {
    const player = new Player(40, 10)
    player.play(0, started('a', 'a'))
    assert.equal(player.screen.cursorVisible, false)
    player.progress.close()
    assert.equal(player.screen.cursorVisible, true)
    const { length } = player.writes
    player.progress.tick()
    player.progress.close()
    assert.equal(player.writes.length, length)
  })

  it('uses colours only when they are wanted', () => {
    for (const color of [true, false]) {
      const player = new Player(40, 10, color)
      player.play(0, started('a', 'a'), done('a', 1), started('b', 'b'), log('b', 'x\n'))
      assert.equal(player.writes.join('').includes('\x1b[36m'), color)
      assert.equal(player.writes.join('').includes('\x1b[0m'), color)
    }
  })

  it('is not moved by names and output that hold control characters', () => {
    const player = new Player(40, 10)
    player.play(0, started('a', 'up\x1b[5A\x1b[2J'), log('a', '\x1b[H\x07\x1b]0;t\x07x\n'))
    const written = player.writes.join('')
    for (const bad of ['\x1b[5A', '\x1b[2J', '\x1b[H', '\x07']) assert.ok(!written.includes(bad))
  })
})
