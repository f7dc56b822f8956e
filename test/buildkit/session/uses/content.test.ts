import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { SessionContent } from '#buildkit/session'
import { collect } from '#core'
import { blobStoreSuite, descriptorOf, inPieces } from '../../../suites/blob-store.ts'
import { ContentPeer } from '../support/content-peer.ts'
import { type Peer, startPeer } from '../support/grpc-peer.ts'

const STORE = 'local:/a folder'
const opened = new AsyncDisposableStack()

async function open(content: ContentPeer): Promise<Peer> {
  return opened.use(await startPeer(content.methods))
}

blobStoreSuite('session', async () => {
  const peer = await open(new ContentPeer(STORE))
  return new SessionContent(peer.session, STORE)
})

describe('session: content', () => {
  after(() => opened.disposeAsync())

  it('is of one store of the client', async () => {
    const content = new ContentPeer(STORE)
    const { session } = await open(content)
    const bytes = randomBytes(100)
    content.blobs.set(descriptorOf(bytes).digest, bytes)
    assert.equal(await new SessionContent(session, STORE).size(descriptorOf(bytes).digest), 100)
    const other = new SessionContent(session, 'local:/other')
    assert.equal(await other.has(descriptorOf(bytes)), false)
    await assert.rejects(other.put(descriptorOf(bytes), inPieces(bytes)), { status: 'NOT_FOUND' })
  })

  it('is written in pieces that are neither small nor large', async () => {
    const content = new ContentPeer(STORE)
    const { session } = await open(content)
    const bytes = randomBytes(5_000_000)
    await new SessionContent(session, STORE).put(descriptorOf(bytes), inPieces(bytes, 1000))
    const mebibyte = 1024 * 1024
    assert.deepEqual(content.pieces, [
      mebibyte,
      mebibyte,
      mebibyte,
      mebibyte,
      5_000_000 - 4 * mebibyte,
    ])
  })

  it('leaves nothing on the client where the source fails', async () => {
    const content = new ContentPeer(STORE)
    const { session } = await open(content)
    const bytes = randomBytes(3_000_000)
    const failing = async function* (): AsyncGenerator<Uint8Array> {
      yield* inPieces(bytes.subarray(0, 2_500_000), 500_000)
      throw new Error('broken source')
    }
    const store = new SessionContent(session, STORE)
    await assert.rejects(store.put(descriptorOf(bytes), failing()), { message: 'broken source' })
    assert.equal(content.begun.size, 0)
    assert.equal(content.forgotten, 1)
    await store.put(descriptorOf(bytes), inPieces(bytes))
    assert.equal(content.begun.size, 0)
    assert.equal(content.forgotten, 1)
  })

  it('is not sent where the client has it', async () => {
    const content = new ContentPeer(STORE)
    const { session } = await open(content)
    const bytes = randomBytes(1000)
    const store = new SessionContent(session, STORE)
    content.blobs.set(descriptorOf(bytes).digest, bytes)
    const unread = async function* (): AsyncGenerator<Uint8Array> {
      assert.fail('it was read')
      yield bytes
    }
    await store.put(descriptorOf(bytes), unread())
    assert.equal(content.forgotten, 0)
  })

  const lies = ['offset', 'digest', 'early', 'endless'] as const
  for (const lie of lies) {
    it(`is not believed to be there after a wrong answer: ${lie}`, async () => {
      const { session } = await open(new ContentPeer(STORE, lie))
      const bytes = randomBytes(100)
      const store = new SessionContent(session, STORE)
      await assert.rejects(store.put(descriptorOf(bytes), inPieces(bytes)), { status: 'INTERNAL' })
    })
  }

  it('is checked while it is read', async () => {
    const content = new ContentPeer(STORE)
    const { session } = await open(content)
    const bytes = randomBytes(1000)
    const blob = descriptorOf(bytes)
    const store = new SessionContent(session, STORE)
    content.blobs.set(blob.digest, randomBytes(1000))
    await assert.rejects(async () => collect(await store.open(blob), 1000), {
      code: 'DIGEST_MISMATCH',
    })
    content.blobs.set(blob.digest, Buffer.alloc(5_000_000))
    await assert.rejects(async () => collect(await store.open(blob), 1e7), {
      code: 'SIZE_MISMATCH',
    })
    content.blobs.set(blob.digest, bytes)
    const read = await collect(await store.open(blob, { checkedBy: 'receiver' }), 1000)
    assert.equal(read.equals(bytes), true)
  })
})
