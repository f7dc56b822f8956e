import assert from 'node:assert/strict'
import type { ActionsPlace } from '#builder/options'
import { collect } from '#core'
import { ActionsStore } from '../../../../builder/remote-cache/objects/actions-store.ts'
import {
  type ActionsServer,
  type Azurite,
  startActionsServer,
  startAzurite,
} from '../../../support/object-stores/index.ts'

describe('the cache service of GitHub Actions', () => {
  let azurite: Azurite
  let server: ActionsServer
  let store: ActionsStore
  before(async () => {
    azurite = await startAzurite()
    server = await startActionsServer(azurite)
    const { url, token } = server
    const place: ActionsPlace = { kind: 'gha', scope: 's', url, token, timeout: 10_000 }
    store = new ActionsStore(place, 500)
  })
  after(async () => {
    await store?.[Symbol.asyncDispose]()
    await server?.[Symbol.asyncDispose]()
    await azurite?.[Symbol.asyncDispose]()
  })

  const change = (text: string, version?: string) => ({ bytes: Buffer.from(text), version })
  const read = async (key: string): Promise<string> =>
    String((await store.readDocument(key, { limit: 100 }))?.bytes)
  const content = async function* (text: string) {
    yield Buffer.from(text)
  }
  const version = (): string => [...server.entries.keys()][0]?.split(' ', 1)[0] ?? ''
  const begin = (key: string, blob = key): unknown =>
    server.entries.set(`${version()} ${key}`, { blob, isFinished: false })

  it('has revisions of a document, of which one writer makes the next', async () => {
    assert.equal(await store.readDocument('doc', { limit: 100 }), undefined)
    assert.equal(await store.replaceDocument('doc', change('one'), {}), true)
    assert.equal(await store.replaceDocument('doc', change('other'), {}), false)
    assert.equal(await read('doc'), 'one')
    assert.equal(await store.replaceDocument('doc', change('two', '1'), {}), true)
    assert.equal(await read('doc'), 'two')
    await assert.rejects(store.readDocument('doc', { limit: 2 }), { code: 'SIZE_MISMATCH' })
  })

  it('passes over a revision whose writer was killed', async () => {
    await store.replaceDocument('killed', change('one'), {})
    begin('killed#2')
    assert.equal(await store.replaceDocument('killed', change('three', '1'), {}), true)
    assert.equal(await read('killed'), 'three')
    const { version } = (await store.readDocument('killed', { limit: 100 })) ?? {}
    assert.equal(version, '3')
  })

  it('lets a writer that was passed over begin again', async () => {
    await store.replaceDocument('slow', change('one'), {})
    server.onCall = (call) => {
      if (call !== 'FinalizeCacheEntryUpload slow#2') return
      server.entries.set(`${version()} slow#3`, { blob: 'slow#1', isFinished: true })
    }
    assert.equal(await store.replaceDocument('slow', change('two', '1'), {}), false)
    const { version: latest } = (await store.readDocument('slow', { limit: 100 })) ?? {}
    assert.equal(latest, '3')
  })

  it('has blobs, also where a killed writer has begun with one', async () => {
    const blob = { key: 'blob', size: 4 }
    assert.equal(await store.find(blob, {}), undefined)
    begin('blob-4')
    assert.equal(await store.find(blob, {}), undefined)
    await store.put(blob, content('text'), {})
    assert.deepEqual(await store.find(blob, {}), { size: 4, modified: undefined })
    assert.equal(await store.find({ ...blob, size: 5 }, {}), undefined)
    assert.equal(String(await collect(await store.open(blob, { from: 1 }), 9)), 'ext')
    await assert.rejects(store.open({ key: 'none', size: 1 }, { from: 0 }), { code: 'NOT_FOUND' })
  })
})
