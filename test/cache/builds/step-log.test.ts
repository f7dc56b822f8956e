import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { readLog } from '../../../cache/builds/log-segments.ts'
import { StepLog } from '../../../cache/builds/step-log.ts'

const BOUNDS = { head: 10, piece: 6 }

describe('the log of a step', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsbuild-log-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  /** What is read of a log, with the number of bytes in the place of what was left out. */
  function kept(step: string): string {
    return [...readLog(join(folder, step))]
      .map((piece) => (piece.kind === 'gap' ? `[${piece.bytes}]` : Buffer.from(piece.bytes)))
      .join('')
  }

  function bytesIn(): number {
    return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
  }

  it('is there while the step runs, and no file before it prints', () => {
    using log = new StepLog(() => join(folder, 'v1'), BOUNDS)
    assert.deepEqual(readdirSync(folder), [])
    log.write(Buffer.from('one'))
    assert.equal(kept('v1'), 'one')
    log.write(Buffer.from('two'))
    assert.equal(kept('v1'), 'onetwo')
    assert.equal(kept('v2'), '')
  })

  it('has the first bytes and the last ones', () => {
    using log = new StepLog(() => join(folder, 'v1'), BOUNDS)
    for (let count = 100; count < 150; count += 1) log.write(Buffer.from(`${count}`))
    assert.equal(kept('v1'), '1001011021[132]47148149')
    using other = new StepLog(() => join(folder, 'v10'), BOUNDS)
    other.write(Buffer.from('other'))
    assert.equal(kept('v1'), '1001011021[132]47148149')
  })

  it('takes no more than its bounds, and says how much is left out, however it is written', () => {
    let runs = 0
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary-ascii', maxLength: 40 })), (pieces) => {
        const step = `v${runs++}`
        using log = new StepLog(() => join(folder, step), BOUNDS)
        for (const piece of pieces) log.write(Buffer.from(piece))
        const all = pieces.join('')
        const found = [...readLog(join(folder, step))]
        const head = Buffer.concat(found.flatMap((one) => (one.kind === 'gap' ? [] : [one.bytes])))
        const gap = found.reduce((sum, one) => sum + (one.kind === 'gap' ? one.bytes : 0), 0)
        assert.equal(head.length + gap, all.length)
        assert.equal(head.subarray(0, BOUNDS.head).toString(), all.slice(0, BOUNDS.head))
        assert.ok(all.endsWith(head.subarray(BOUNDS.head).toString()))
        if (gap > 0) assert.ok(head.length >= BOUNDS.head + BOUNDS.piece)
        assert.ok(bytesIn() <= BOUNDS.head + 2 * BOUNDS.piece)
        rmSync(folder, { recursive: true })
        folder = mkdtempSync(join(tmpdir(), 'tsbuild-log-'))
      }),
    )
  })

  it('is given up where it cannot be written, and the step goes on', () => {
    let asked = 0
    const place = (): string => join(folder, 'none', `v${asked++}`)
    using log = new StepLog(place, BOUNDS)
    log.write(Buffer.from('one'))
    log.write(Buffer.from('two'))
    assert.equal(asked, 1)
  })
})
