import assert from 'node:assert/strict'
import { LineSplitter, LOG_LIMITS, LogClip, LogTail } from '../../../cli/progress/step-output.ts'

function split(...chunks: readonly (string | Uint8Array)[]): readonly string[] {
  const splitter = new LineSplitter()
  const lines = chunks.flatMap((chunk) => splitter.push(Buffer.from(chunk)))
  const last = splitter.take()
  return last === undefined ? lines : [...lines, last]
}

describe('a line splitter', () => {
  it('joins pieces and keeps empty lines', () => {
    assert.deepEqual(split('a', 'b\n\nc', '\n', 'd'), ['ab', '', 'c', 'd'])
  })

  it('joins a character that was cut in two', () => {
    const bytes = Buffer.from('größe\n')
    assert.deepEqual(split(bytes.subarray(0, 3), bytes.subarray(3)), ['größe'])
  })

  it('shows invalid UTF-8 as U+FFFD', () => {
    assert.deepEqual(split(Uint8Array.of(0x61, 0xff, 0x62, 0x0a)), ['a\uFFFDb'])
  })

  it('keeps the last state of a progress bar', () => {
    assert.deepEqual(split('10%\r', '20%\r30%', '\r\nnext\r\n'), ['30%', 'next'])
    assert.deepEqual(split('10%\r20%\r'), ['20%'])
  })

  it('removes an escape sequence that was cut in two', () => {
    assert.deepEqual(split('a\x1b[3', '1mb\n'), ['ab'])
  })

  it('cuts a long line and keeps little of one that does not end', () => {
    const [line = ''] = split('x'.repeat(10_000), 'y'.repeat(10_000), '\n')
    assert.equal(line, `${'x'.repeat(4096)}…`)
    const splitter = new LineSplitter()
    const chunk = Buffer.alloc(1024 * 1024, 'z')
    for (let i = 0; i < 64; i += 1) splitter.push(chunk)
    assert.equal(splitter.take()?.length, 4097)
  })
})

describe('a log clip', () => {
  const MIB = 1024 * 1024

  it('stops at 2 MiB and says so once', () => {
    const clip = new LogClip(LOG_LIMITS)
    const chunk = new Uint8Array(MIB)
    assert.deepEqual(clip.admit(chunk, 100), { shown: chunk, note: undefined })
    assert.equal(clip.admit(chunk, 100).note, undefined)
    const note = '[output clipped, log limit 2MiB reached]'
    assert.deepEqual(clip.admit(chunk, 100), { shown: new Uint8Array(0), note })
    assert.deepEqual(clip.admit(chunk, 999), { shown: new Uint8Array(0), note: undefined })
  })

  it('stops at 200 KiB a second and goes on when time has passed', () => {
    const clip = new LogClip(LOG_LIMITS)
    const first = clip.admit(new Uint8Array(300 * 1024), 0.1)
    assert.equal(first.shown.length, 200 * 1024)
    assert.equal(first.note, '[output clipped, log limit 200KiB/s reached]')
    assert.equal(clip.admit(new Uint8Array(10), 0.2).note, undefined)
    assert.deepEqual(clip.admit(new Uint8Array(10), 2), {
      shown: new Uint8Array(10),
      note: undefined,
    })
  })

  it('has no limits when they are -1', () => {
    const clip = new LogClip({ size: -1, speed: -1 })
    assert.equal(clip.admit(new Uint8Array(64 * MIB), 0).shown.length, 64 * MIB)
  })
})

describe('a log tail', () => {
  it('keeps the last lines of both streams, the unfinished one last', () => {
    const tail = new LogTail(3)
    const say = (stream: 'stdout' | 'stderr', text: string): void => {
      tail.push({ stream, data: Buffer.from(text) }, '> ')
    }
    say('stdout', 'a\nb\nc')
    say('stderr', 'e\n')
    say('stdout', 'c\nd')
    assert.deepEqual(tail.lines('* '), ['> e', '> cc', '* d'])
    assert.deepEqual(tail.lines('* '), ['> e', '> cc', '* d'])
  })

  it('survives a flood', () => {
    const tail = new LogTail(2)
    const chunk = Buffer.alloc(256 * 1024, 'line\n')
    for (let i = 0; i < 400; i += 1) tail.push({ stream: 'stdout', data: chunk })
    assert.deepEqual(tail.lines().at(0), 'line')
  })
})
