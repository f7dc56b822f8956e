import assert from 'node:assert/strict'
import { type Bytes, Digester } from '#core'
import type { ObjectStore } from '../../../../builder/remote-cache/objects/object-store.ts'
import { openObjectStore } from '../../../../builder/remote-cache/objects/open-store.ts'
import {
  type ActionsServer,
  type Azurite,
  type S3Server,
  startActionsServer,
  startAzurite,
  startS3Server,
} from '../../../support/object-stores/index.ts'
import { actionsPlace, azurePlace, s3Place } from '../object-places.ts'

const CHUNK = Buffer.alloc(1024 * 1024 - 1, 'what is repeated')
/** More than two parts of an upload. */
const CHUNKS = 20
const SIZE = CHUNK.length * CHUNKS

describe('blobs that are sent in parts', () => {
  let s3: S3Server
  let azurite: Azurite
  let actions: ActionsServer
  before(async () => {
    s3 = await startS3Server()
    azurite = await startAzurite()
    await azurite.container('buildkit-cache')
    actions = await startActionsServer(azurite)
  })
  after(async () => {
    await actions?.[Symbol.asyncDispose]()
    await azurite?.[Symbol.asyncDispose]()
    await s3?.[Symbol.asyncDispose]()
  })

  async function* content(chunks: number): Bytes {
    for (let count = 0; count < CHUNKS; count++) {
      if (count === chunks) throw new Error('the layer cannot be read')
      yield CHUNK
    }
  }

  async function digestOf(bytes: Bytes): Promise<string> {
    const digester = new Digester()
    for await (const chunk of bytes) digester.update(chunk)
    return digester.digest()
  }

  const stores: Readonly<Record<string, () => Promise<{ readonly store: ObjectStore }>>> = {
    S3: () => openObjectStore(s3Place(s3)),
    Azure: () => openObjectStore(azurePlace(azurite)),
    'GitHub Actions': () => openObjectStore(actionsPlace(actions, 'large')),
  }
  for (const [name, open] of Object.entries(stores)) {
    it(`come back whole, and a failure leaves nothing: ${name}`, async () => {
      const { store } = await open()
      const [blob, half] = ['blob', 'half'].map((key) => ({ key, size: SIZE }))
      assert.ok(blob !== undefined && half !== undefined)
      await store.put(blob, content(CHUNKS), {})
      assert.equal((await store.find(blob, {}))?.size, SIZE)
      const whole = await digestOf(await store.open(blob, { from: 0 }))
      assert.equal(whole, await digestOf(content(CHUNKS)))
      await assert.rejects(store.put(half, content(CHUNKS / 2), {}), /cannot be read/)
      assert.equal(await store.find(half, {}), undefined)
      await store[Symbol.asyncDispose]()
    })
  }

  it('of S3 are sent in several requests', () => {
    const parts = s3.seen.filter(({ url }) => /\/blob\?partNumber=\d/.test(url))
    assert.equal(parts.length, 3)
    assert.ok(s3.seen.some(({ method, url }) => method === 'DELETE' && url.includes('/half?')))
  })

  it('apart, a document is not replaced where another writer is faster', async () => {
    const { store } = await openObjectStore(s3Place(s3))
    for (const [status, key] of [
      [409, 'busy'],
      [412, 'replaced'],
    ] as const) {
      s3.intercept = ({ method }) => (method === 'PUT' ? { status } : undefined)
      const change = { bytes: Buffer.from('{}'), version: undefined }
      assert.equal(await store.replaceDocument(key, change, {}), false)
      s3.intercept = () => undefined
      assert.equal(await store.replaceDocument(key, change, {}), true)
    }
    await store[Symbol.asyncDispose]()
  })
})
