import assert from 'node:assert/strict'
import { type AddressInfo, createServer } from 'node:net'
import type { Reply } from '../../support/registry/index.ts'
import { useRegistry } from '../fixture.ts'
import { blobOf, readAll, someBytes } from '../support.ts'

const NAME = 'team/app'

describe('blobs', () => {
  const fixture = useRegistry({ timeouts: { idle: 300, headers: 400 } })

  describe('open', () => {
    const bytes = someBytes(300_000)

    it('streams a blob', async () => {
      const blob = fixture.registry.addBlob(NAME, bytes)
      assert.deepEqual(await readAll(await fixture.repository.open(blob)), bytes)
    })

    it('reads an empty blob', async () => {
      const blob = fixture.registry.addBlob(NAME, Buffer.alloc(0))
      assert.equal((await readAll(await fixture.repository.open(blob))).length, 0)
    })

    for (const how of ['end', 'reset'] as const) {
      it(`goes on with Range after the connection ends by ${how}`, async () => {
        const blob = fixture.registry.addBlob(NAME, bytes)
        fixture.registry.fail({ action: { kind: 'cut', afterBytes: 100_000, how } })
        fixture.registry.fail({ action: { kind: 'cut', afterBytes: 0, how } })
        assert.deepEqual(await readAll(await fixture.repository.open(blob)), bytes)
        const ranges = fixture.registry.requests.map(({ headers }) => headers.range)
        assert.equal(ranges[0], undefined)
        assert.match(ranges[1] ?? '', /^bytes=\d+-$/)
        assert.equal(fixture.registry.requests.length, 3)
      })
    }

    it('goes on in the same bytes only: it takes all of them where the entity is another one', async () => {
      const blob = fixture.registry.addBlob(NAME, bytes)
      fixture.registry.fail({ action: { kind: 'cut', afterBytes: 100_000, how: 'reset' } })
      assert.deepEqual(await readAll(await fixture.repository.open(blob)), bytes)
      const [first, second] = fixture.registry.requests
      assert.equal(first?.headers['if-range'], undefined)
      assert.equal(second?.headers['if-range'], `"${blob.digest}"`)
      assert.equal(second?.status, 206)
      const rename = (etag: string) => (reply: Reply) => ({
        ...reply,
        headers: { ...reply.headers, etag },
      })
      for (const [etag, sent, status] of [
        ['"elsewhere"', '"elsewhere"', 200],
        ['W/"weak"', undefined, 206],
      ] as const) {
        fixture.registry.requests.length = 0
        fixture.registry.fail({
          action: { kind: 'edit', edit: rename(etag), cut: { afterBytes: 100_000, how: 'reset' } },
        })
        assert.deepEqual(await readAll(await fixture.repository.open(blob)), bytes)
        const [, again] = fixture.registry.requests
        assert.deepEqual([again?.headers['if-range'], again?.status], [sent, status])
      }
    })

    it('goes on after a stall', async () => {
      const blob = fixture.registry.addBlob(NAME, bytes)
      fixture.registry.fail({ action: { kind: 'stall', afterBytes: 100_000 } })
      assert.deepEqual(await readAll(await fixture.repository.open(blob)), bytes)
      assert.equal(fixture.registry.requests.length, 2)
    })

    it('requests again when no answer comes', async () => {
      const blob = fixture.registry.addBlob(NAME, bytes)
      fixture.registry.fail({ action: { kind: 'stall' } })
      assert.deepEqual(await readAll(await fixture.repository.open(blob)), bytes)
    })

    it('copes with a server that ignores Range', async () => {
      const blob = fixture.registry.addBlob(NAME, bytes)
      fixture.registry.fail({ action: { kind: 'cut', afterBytes: 100_000, how: 'reset' } })
      const headers = { 'content-length': String(bytes.length) }
      fixture.registry.fail({
        action: { kind: 'edit', edit: () => ({ status: 200, headers, body: bytes }) },
      })
      assert.deepEqual(await readAll(await fixture.repository.open(blob)), bytes)
    })

    it('gives up on a connection that breaks again and again', async () => {
      const blob = fixture.registry.addBlob(NAME, bytes)
      fixture.registry.fail({ times: 100, action: { kind: 'cut', afterBytes: 1, how: 'reset' } })
      await assert.rejects(async () => readAll(await fixture.repository.open(blob)), {
        code: 'REGISTRY_UNREACHABLE',
      })
      assert.equal(fixture.registry.requests.length, 6)
    })

    it('treats a body without length that ends early as a broken connection', async () => {
      const requests: string[] = []
      const server = createServer((socket) => {
        socket.on('data', (data) => {
          requests.push(data.toString())
          const start = Number(/range: bytes=(\d+)-/.exec(data.toString())?.[1] ?? 0)
          const range = start === 0 ? '' : `Content-Range: bytes ${start}-/*\r\n`
          socket.write(`HTTP/1.0 ${start === 0 ? 200 : 206} OK\r\n${range}\r\n`)
          socket.end(bytes.subarray(start, start + 100_000))
        })
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const { port } = server.address() as AddressInfo
      const old = fixture.client.repository({ registry: `127.0.0.1:${port}`, repository: NAME })
      try {
        assert.deepEqual(await readAll(await old.open(blobOf(bytes))), bytes)
        assert.equal(requests.length, 3)
      } finally {
        server.close()
      }
    })

    it('refuses other bytes', async () => {
      const blob = fixture.registry.addBlob(NAME, bytes)
      const edit = (reply: { status: number }) => ({ ...reply, body: someBytes(bytes.length, 7) })
      fixture.registry.fail({ action: { kind: 'edit', edit } })
      await assert.rejects(async () => readAll(await fixture.repository.open(blob)), {
        code: 'DIGEST_MISMATCH',
      })
    })

    it('refuses another length before reading', async () => {
      const blob = fixture.registry.addBlob(NAME, bytes)
      await assert.rejects(fixture.repository.open({ ...blob, size: blob.size + 1 }), {
        code: 'SIZE_MISMATCH',
      })
    })

    it('refuses a content encoding that was not requested', async () => {
      const blob = fixture.registry.addBlob(NAME, bytes)
      fixture.registry.fail({
        action: {
          kind: 'edit',
          edit: (reply) => ({
            ...reply,
            headers: { ...reply.headers, 'content-encoding': 'gzip' },
          }),
        },
      })
      await assert.rejects(fixture.repository.open(blob), /content encoding/)
      assert.equal(fixture.registry.requests[0]?.headers['accept-encoding'], 'identity')
    })

    it('reports NOT_FOUND before any byte', async () => {
      await assert.rejects(fixture.repository.open(blobOf(bytes)), { code: 'NOT_FOUND' })
    })

    it('ends with CANCELLED when aborted', async () => {
      const blob = fixture.registry.addBlob(NAME, bytes)
      fixture.registry.fail({ action: { kind: 'stall', afterBytes: 10 } })
      const controller = new AbortController()
      const stream = await fixture.repository.open(blob, { signal: controller.signal })
      setTimeout(() => controller.abort(), 20)
      await assert.rejects(readAll(stream), { code: 'CANCELLED' })
    })
  })
})
