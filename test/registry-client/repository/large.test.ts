import assert from 'node:assert/strict'
import { type Bytes, Digester, MEDIA_TYPES } from '#core'
import { MemoryRegistry } from '../../support/registry/index.ts'
import { clientFor, repositoryOf, someBytes } from '../support.ts'

const MIB = 1024 * 1024
const SIZE = 512 * MIB

describe('large blobs', () => {
  it('are uploaded with little memory', async function () {
    this.timeout(120_000)
    await using registry = await MemoryRegistry.start({ keepsBytes: false })
    await using client = clientFor()
    const block = someBytes(256 * 1024)
    let peak = 0
    const made = new Digester()
    const generate = async function* (): Bytes {
      for (let sent = 0; sent < SIZE; sent += block.length) {
        block.writeUInt32BE(sent / block.length)
        made.update(block)
        yield Buffer.from(block)
        if (sent % (16 * MIB) === 0) peak = Math.max(peak, process.memoryUsage().rss)
      }
    }
    const before = process.memoryUsage().rss
    const blob = await repositoryOf(client, registry).upload(MEDIA_TYPES.ociLayer, generate)
    assert.equal(blob.size, SIZE)
    assert.equal(blob.digest, made.digest())
    assert.equal(registry.requests.find(({ method }) => method === 'PATCH')?.bodySize, SIZE)
    const growth = (peak - before) / MIB
    assert.ok(growth < 128, `${growth.toFixed(0)} MiB more than before`)
  })
})
