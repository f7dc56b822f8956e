import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { BuildFact } from '#core'
import { PlainProgress } from '../../../cli/progress/plain-progress.ts'
import { LOG_LIMITS } from '../../../cli/progress/step-output.ts'
import { readEvents } from '../support/recorded-events.ts'

const FIXTURES = new URL('../../../../fixtures/cli/progress-plain/', import.meta.url)

function play(text: string): string {
  let now = 0
  let out = ''
  const progress = new PlainProgress({
    write: (piece) => {
      out += piece
    },
    now: () => now,
    limits: LOG_LIMITS,
  })
  for (const { at, event } of readEvents(text)) {
    now = at
    if (event === undefined) progress.tick()
    else progress.handle(event)
  }
  progress.close()
  return out
}

describe('plain progress', () => {
  const cases = readdirSync(FIXTURES)

  it('has cases', () => assert.ok(cases.length > 5))

  for (const name of cases) {
    it(`prints ${name}`, () => {
      const folder = new URL(`${name}/`, FIXTURES)
      const output = play(readFileSync(new URL('events.jsonl', folder), 'utf8'))
      const expected = new URL('output.txt', folder)
      if (process.env.UPDATE === '1') writeFileSync(expected, output)
      assert.equal(output, readFileSync(expected, 'utf8'))
    })
  }

  it('writes once for each event and ends every write with a newline', () => {
    const writes: string[] = []
    const progress = new PlainProgress({
      write: (text) => writes.push(text),
      now: () => 0,
      limits: LOG_LIMITS,
    })
    const data = Buffer.from('a\nb\nc\n')
    const events: readonly BuildFact[] = [
      { type: 'started', vertex: 'x', name: 'x' },
      { type: 'log', vertex: 'x', stream: 'stdout', data },
      { type: 'done', vertex: 'x', milliseconds: 1 },
    ]
    for (const event of events) progress.handle(event)
    assert.deepEqual(writes, ['#1 x\n', '#1 0.000 a\n#1 0.000 b\n#1 0.000 c\n', '#1 DONE 0.0s\n'])
  })

  it('keeps little of a flood from a step that does not have the page', () => {
    let out = 0
    const progress = new PlainProgress({
      write: (text) => {
        out += text.length
      },
      now: () => 0,
      limits: LOG_LIMITS,
    })
    progress.handle({ type: 'started', vertex: 'a', name: 'a' })
    progress.handle({ type: 'started', vertex: 'b', name: 'b' })
    const data = Buffer.alloc(64 * 1024, 'y\n')
    for (let i = 0; i < 1000; i += 1) {
      progress.handle({ type: 'log', vertex: 'b', stream: 'stdout', data })
    }
    assert.ok(out > 100 * 1024 && out < 2 * 1024 * 1024, `${out}`)
  })
})
