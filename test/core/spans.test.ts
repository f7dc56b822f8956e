import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { type BuildFact, type BuildSpan, eventTime, Spans } from '#core'

describe('spans', () => {
  let facts: BuildFact[]
  let spans: Spans
  beforeEach(() => {
    facts = []
    spans = new Spans((fact) => void facts.push(fact))
  })

  function reported(): readonly BuildSpan[] {
    return facts.map((fact) => {
      assert.equal(fact.type, 'span')
      return fact as BuildSpan
    })
  }

  it('are one for work that overlaps or follows at once, and several where time passes between', async () => {
    const before = eventTime()
    await Promise.all([
      spans.measure('keys', () => sleep(20)),
      spans.measure('keys', async () => undefined),
    ])
    await spans.measure('keys', async () => undefined)
    assert.deepEqual(reported(), [])
    await sleep(20)
    await spans.measure('keys', async () => undefined)
    spans.close()
    const [first, second, ...more] = reported()
    assert.ok(first && second)
    assert.deepEqual(more, [])
    assert.ok(first.milliseconds > 15 && second.milliseconds < first.milliseconds)
    assert.ok(first.started >= before)
    assert.ok(second.started >= first.started + first.milliseconds + 15)
  })

  it('of several parts are kept apart', async () => {
    await spans.measure('steps', () => spans.measure('packing', async () => undefined))
    spans.close()
    assert.deepEqual(
      reported().map(({ part }) => part),
      ['steps', 'packing'],
    )
  })

  it('hand results and failures on, and end with either', async () => {
    assert.equal(await spans.measure('parse', async () => 1), 1)
    await assert.rejects(
      spans.measure('resolve', () => Promise.reject(new Error('none'))),
      /^Error: none$/,
    )
    await sleep(10)
    spans.close()
    const ended = eventTime()
    assert.equal(reported().length, 2)
    for (const { started, milliseconds } of reported())
      assert.ok(started + milliseconds < ended - 5)
  })

  it('that are under way end when they are closed, once', async () => {
    spans.begin('store')
    await sleep(10)
    spans.close()
    spans.close()
    const [span, ...more] = reported()
    assert.deepEqual(more, [])
    assert.ok((span?.milliseconds ?? 0) > 8)
  })
})
