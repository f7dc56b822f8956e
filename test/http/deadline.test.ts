import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import { MessageChannel } from 'node:worker_threads'
import { Deadline } from '../../http/deadline.ts'

describe('a deadline', () => {
  const limit = { milliseconds: 20, code: 'BODY_TIMEOUT', missing: 'nothing' } as const
  let missed: string[]
  let deadline: Deadline

  beforeEach(() => {
    missed = []
    deadline = new Deadline(({ code, message }) => missed.push(`${code} ${message}`))
  })

  it('is missed once, unless it is cleared or set anew', async () => {
    deadline.set(limit)
    await setTimeout(60)
    assert.deepEqual(missed, ['BODY_TIMEOUT nothing within 0.02 s'])
    deadline.set(limit)
    deadline.clear()
    deadline.set({ ...limit, milliseconds: 10_000 })
    await setTimeout(60)
    deadline.clear()
    assert.equal(missed.length, 1)
  })

  it('is not missed by what came while the thread was busy', async () => {
    const channel = new MessageChannel()
    channel.port1.on('message', () => deadline.clear())
    deadline.set(limit)
    channel.port2.postMessage('came')
    const until = performance.now() + 60
    while (performance.now() < until);
    await setTimeout(60)
    channel.port1.close()
    assert.deepEqual(missed, [])
  })
})
