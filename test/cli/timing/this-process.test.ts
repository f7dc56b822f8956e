import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { eventTime } from '#core'
import { processorTime, processStart } from '../../../cli/timing/this-process.ts'

const BUSY = 'const end = Date.now() + 200; while (Date.now() < end);'

describe('facts about this process', () => {
  it('has started before now, and no later than Node says', () => {
    const started = processStart()
    assert.ok(started <= performance.timeOrigin)
    assert.ok(started > performance.timeOrigin - 60_000)
    assert.ok(started < eventTime())
  })

  it('counts what came before Node in the same process', () => {
    const script = `const { processStart } = await import(${JSON.stringify(
      import.meta.resolve('../../../cli/timing/this-process.ts').replace(/ts$/, 'js'),
    )}); console.log(performance.timeOrigin - processStart())`
    const program = `sleep 0.3; exec "$0" --input-type=module -e "$1"`
    const out = execFileSync('sh', ['-c', program, process.execPath, script], { encoding: 'utf8' })
    assert.ok(Number(out) > 250, out)
  })

  it('counts the processor time of programs that have ended', () => {
    const before = processorTime()
    execFileSync(process.execPath, ['-e', BUSY])
    const after = processorTime()
    assert.ok(after.others - before.others >= 50)
    assert.ok(after.own >= before.own && before.own > 0)
  })
})
