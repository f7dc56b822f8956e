import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import { type BuildFact, type Bytes, describeDocument, MEDIA_TYPES, TsbuildError } from '#core'
import {
  type LayerShelf,
  UploadReport,
} from '../../../../builder/remote-cache/layers/upload-report.ts'

const bytes = Buffer.alloc(1000)
const BLOB = describeDocument({ mediaType: MEDIA_TYPES.ociLayer, bytes })
const open = async function* (): Bytes {
  for (let at = 0; at < 1000; at += 250) {
    yield bytes.subarray(at, at + 250)
    await setTimeout(60)
  }
}

/** Reads what it is sent. */
const SHELF: LayerShelf = {
  source: { open: () => Promise.reject(new Error('nothing is read')), has: async () => false },
  mountBlob: async () => false,
  putBlob: async (_blob, source) => {
    for await (const _ of await source());
  },
  streamBlob: async (_type, source) => {
    for await (const _ of await source());
    return BLOB
  },
}

describe('layers on their way to a cache', () => {
  let events: BuildFact[]
  let report: UploadReport
  beforeEach(() => {
    events = []
    report = new UploadReport('layers', 'registry.example/app:cache', (event) => events.push(event))
  })
  const types = () => events.flatMap(({ type }) => (type === 'progress' ? [] : [type]))
  const progressOf = (id: string) =>
    events.flatMap((one) => (one.type === 'progress' && one.id === id ? [one] : []))

  it('are reported as one vertex while any is under way', async () => {
    const known = report.watching(SHELF, 'RUN known').putBlob(BLOB, open, {})
    const streamed = report.watching(SHELF, 'RUN streamed').streamBlob(BLOB.mediaType, open, {})
    await Promise.all([known, streamed])
    assert.deepEqual(events[0], {
      ...{ type: 'started', vertex: 'layers', part: 'export' },
      name: 'sending layers to registry.example/app:cache',
    })
    await setTimeout(0)
    assert.deepEqual(types(), ['started', 'done'])
    await report.watching(SHELF, 'RUN later').putBlob(BLOB, open, {})
    await setTimeout(0)
    assert.deepEqual(types(), ['started', 'done', 'started', 'done'])
  })

  it('have their bytes counted, out of all where that is known', async () => {
    await report.watching(SHELF, 'RUN known').putBlob(BLOB, open, {})
    await report.watching(SHELF, 'RUN streamed').streamBlob(BLOB.mediaType, open, {})
    const [first, ...more] = progressOf('RUN known')
    assert.deepEqual([first?.current, first?.total, first?.done], [250, 1000, false])
    assert.ok(more.length >= 2, 'some while it is sent')
    assert.deepEqual(more.at(-1), { ...first, current: 1000, done: true })
    const streamed = progressOf('RUN streamed')
    assert.equal(streamed[0]?.total, undefined)
    assert.deepEqual([streamed.at(-1)?.total, streamed.at(-1)?.done], [1000, true])
  })

  it('end as they fail, or are cancelled', async () => {
    const { putBlob } = SHELF
    for (const [code, type] of [
      ['REGISTRY_DENIED', 'failed'],
      ['CANCELLED', 'cancelled'],
    ] as const) {
      events = []
      const failing: LayerShelf = {
        ...SHELF,
        putBlob: async (...args) => {
          await putBlob(...args)
          throw new TsbuildError('no more', { code })
        },
      }
      const sending = report.watching(failing, 'RUN x').putBlob(BLOB, open, {})
      await assert.rejects(sending, { code })
      await setTimeout(0)
      assert.deepEqual(types(), ['started', type])
    }
  })

  it('are not reported when they are mounted', async () => {
    const shelf = report.watching({ ...SHELF, mountBlob: async () => true }, 'RUN x')
    assert.equal(await shelf.mountBlob(BLOB, [], {}), true)
    assert.deepEqual(events, [])
  })
})
