import assert from 'node:assert/strict'
import { type Bytes, type Descriptor, digestOf, MEDIA_TYPES, TsbuildError } from '#core'
import { RegistryError } from '#registry-client'
import type { FaultAction, MemoryRegistry } from '../../support/registry/index.ts'
import { useRegistry } from '../fixture.ts'
import { blobOf, pieces, someBytes } from '../support.ts'

const NAME = 'team/app'
const BYTES = someBytes(200_000)
const BLOB = blobOf(BYTES)

describe('uploads', () => {
  const fixture = useRegistry({ timeouts: { stored: 400 } })

  describe('put', () => {
    it('stores a blob with one POST and one PUT', async () => {
      assert.equal(await fixture.repository.has(BLOB), false)
      await fixture.repository.put(BLOB, pieces(BYTES))
      assert.equal(await fixture.repository.has(BLOB), true)
      assert.deepEqual(fixture.registry.blob(NAME, BLOB.digest), BYTES)
      const methods = fixture.registry.requests.map(({ method }) => method)
      assert.deepEqual(methods, ['HEAD', 'POST', 'PUT', 'HEAD'])
      assert.equal(fixture.registry.requests[2]?.headers['content-length'], String(BYTES.length))
    })

    it('leaves the query of the location as the registry wrote it', async () => {
      await fixture.repository.put(BLOB, pieces(BYTES))
      const put = fixture.registry.requests.find(({ method }) => method === 'PUT')
      assert.match(put?.url ?? '', /\?_state=a%2Fb\+c-0&digest=sha256%3A[0-9a-f]{64}$/)
    })

    it('stores an empty blob', async () => {
      const empty = blobOf(Buffer.alloc(0))
      await fixture.repository.put(empty, pieces(Buffer.alloc(0)))
      assert.equal(fixture.registry.blob(NAME, empty.digest)?.length, 0)
    })

    const wrong: readonly (readonly [string, Descriptor, string])[] = [
      ['another digest', { ...BLOB, digest: digestOf('x') }, 'DIGEST_MISMATCH'],
      ['too many bytes', { ...BLOB, size: BLOB.size - 1 }, 'SIZE_MISMATCH'],
      ['too few bytes', { ...BLOB, size: BLOB.size + 1 }, 'SIZE_MISMATCH'],
    ]
    for (const [what, descriptor, code] of wrong) {
      it(`refuses ${what} and leaves nothing behind`, async () => {
        await assert.rejects(
          fixture.repository.put(descriptor, () => pieces(BYTES)),
          { code },
        )
        const puts = fixture.registry.requests.filter(({ method }) => method === 'PUT')
        assert.equal(puts.length, 2)
        for (const put of puts) {
          assert.ok(put.bodySize < descriptor.size, 'the last chunk is held back')
        }
        assert.equal(fixture.registry.openUploads, 0)
      })
    }

    it('starts over when the connection breaks and the bytes can be had again', async () => {
      fixture.registry.fail({
        method: 'PUT',
        times: 2,
        action: { kind: 'reset', afterBytes: 50_000 },
      })
      let opened = 0
      await fixture.repository.put(BLOB, () => {
        opened++
        return pieces(BYTES)
      })
      assert.equal(opened, 3)
      assert.deepEqual(fixture.registry.blob(NAME, BLOB.digest), BYTES)
      assert.equal(fixture.registry.openUploads, 0)
    })

    it('makes one attempt with bytes that come once', async () => {
      fixture.registry.fail({ method: 'PUT', action: { kind: 'reset', afterBytes: 50_000 } })
      await assert.rejects(fixture.repository.put(BLOB, pieces(BYTES)), {
        code: 'REGISTRY_UNREACHABLE',
      })
      assert.equal(fixture.registry.requests.filter(({ method }) => method === 'PUT').length, 1)
    })

    it('refuses a registry that stores it under another digest', async () => {
      fixture.registry.fail({
        method: 'PUT',
        action: {
          kind: 'edit',
          edit: () => ({ status: 201, headers: { 'docker-content-digest': digestOf('x') } }),
        },
      })
      await assert.rejects(
        fixture.repository.put(BLOB, () => pieces(BYTES)),
        { code: 'DIGEST_MISMATCH' },
      )
    })

    it('reads a source once more that came damaged', async () => {
      let opened = 0
      const flaky = () => pieces(opened++ === 0 ? Buffer.alloc(BYTES.length) : BYTES)
      await fixture.repository.put(BLOB, flaky)
      assert.deepEqual([opened, fixture.registry.blob(NAME, BLOB.digest)], [2, BYTES])
      const other = blobOf(Buffer.from('other'))
      const damaged = () => {
        opened++
        return pieces(Buffer.from('OTHER'))
      }
      await assert.rejects(fixture.repository.put(other, damaged), { code: 'DIGEST_MISMATCH' })
      assert.deepEqual([opened, fixture.registry.openUploads], [4, 0])
    })

    it('passes on what reading the source throws', async () => {
      const failure = new TsbuildError('read x: not found', { code: 'IO_FAILED' })
      const source = async function* (): Bytes {
        yield BYTES.subarray(0, 10)
        throw failure
      }
      await assert.rejects(fixture.repository.put(BLOB, source), (error) => error === failure)
      assert.equal(fixture.registry.openUploads, 0)
    })
  })

  describe('mount', () => {
    it('takes over a blob of another repository', async () => {
      fixture.registry.addBlob('library/base', BYTES)
      assert.equal(await fixture.repository.mount(BLOB, 'library/base'), true)
      assert.deepEqual(fixture.registry.blob(NAME, BLOB.digest), BYTES)
    })

    it('cancels the upload that a registry starts instead', async () => {
      assert.equal(await fixture.repository.mount(BLOB, 'library/base'), false)
      assert.equal(fixture.registry.openUploads, 0)
    })

    it('gives up quietly when it is not allowed', async () => {
      fixture.registry.fail({ method: 'POST', action: { kind: 'reply', reply: { status: 403 } } })
      assert.equal(await fixture.repository.mount(BLOB, 'library/base'), false)
    })

    const failures: readonly (readonly [string, FaultAction])[] = [
      ...[400, 401, 404, 405, 429, 500, 501, 502, 503, 504].map(
        (status) => [`answers ${status}`, { kind: 'reply', reply: { status } }] as const,
      ),
      ['breaks the connection', { kind: 'reset' }],
    ]
    for (const [what, action] of failures) {
      it(`gives up soon when the registry ${what}, and the blob can be uploaded`, async () => {
        fixture.registry.addBlob('library/base', BYTES)
        fixture.registry.fail({ method: 'POST', path: /[?]mount=/, times: 99, action })
        assert.equal(await fixture.repository.mount(BLOB, 'library/base'), false)
        assert.ok(
          fixture.registry.requests.filter(({ url }) => url.includes('?mount=')).length <= 2,
        )
        await fixture.repository.put(BLOB, () => pieces(BYTES))
        assert.deepEqual(fixture.registry.blob(NAME, BLOB.digest), BYTES)
      })
    }

    it('is tried again after a 503', async () => {
      fixture.registry.addBlob('library/base', BYTES)
      fixture.registry.fail({ method: 'POST', action: { kind: 'reply', reply: { status: 503 } } })
      assert.equal(await fixture.repository.mount(BLOB, 'library/base'), true)
    })

    it('ends when it is cancelled', async () => {
      fixture.registry.fail({ method: 'POST', action: { kind: 'stall' } })
      const signal = AbortSignal.timeout(50)
      const mounting = fixture.repository.mount(BLOB, 'library/base', { signal })
      await assert.rejects(mounting, { code: 'CANCELLED' })
    })
  })

  describe('upload', () => {
    it('finds digest and size while it sends', async () => {
      const descriptor = await fixture.repository.upload(MEDIA_TYPES.ociLayerGzip, () =>
        pieces(BYTES),
      )
      assert.deepEqual(descriptor, blobOf(BYTES, MEDIA_TYPES.ociLayerGzip))
      assert.deepEqual(fixture.registry.blob(NAME, descriptor.digest), BYTES)
      const patch = fixture.registry.requests.find(({ method }) => method === 'PATCH')
      assert.equal(patch?.headers['transfer-encoding'], 'chunked')
      assert.equal(patch?.headers['content-range'], undefined)
    })

    it('uploads nothing, too', async () => {
      const descriptor = await fixture.repository.upload(MEDIA_TYPES.ociLayer, () =>
        pieces(Buffer.alloc(0)),
      )
      assert.equal(descriptor.size, 0)
      assert.equal(fixture.registry.blob(NAME, descriptor.digest)?.length, 0)
    })

    const broken: readonly (readonly [string, Parameters<MemoryRegistry['fail']>[0]])[] = [
      ['a reset', { method: 'PATCH', times: 2, action: { kind: 'reset', afterBytes: 30_000 } }],
      ['a silent registry', { method: 'PATCH', action: { kind: 'stall' } }],
      ['a 503', { method: 'PATCH', times: 2, action: { kind: 'reply', reply: { status: 503 } } }],
      [
        'an unknown session',
        { method: 'PATCH', action: { kind: 'reply', reply: { status: 404 } } },
      ],
      ['a wrong offset', { method: 'PATCH', action: { kind: 'reply', reply: { status: 416 } } }],
    ]
    for (const [what, fault] of broken) {
      it(`starts over after ${what}`, async () => {
        fixture.registry.fail(fault)
        let opened = 0
        const descriptor = await fixture.repository.upload(MEDIA_TYPES.ociLayer, () => {
          opened++
          return pieces(BYTES)
        })
        assert.equal(opened, (fault.times ?? 1) + 1)
        assert.equal(descriptor.digest, BLOB.digest)
        assert.deepEqual(fixture.registry.blob(NAME, BLOB.digest), BYTES)
        assert.equal(fixture.registry.openUploads, 0)
      })
    }

    it('names the layer when it gives up after six attempts', async () => {
      fixture.registry.fail({
        method: 'PATCH',
        times: 99,
        action: { kind: 'reply', reply: { status: 500 } },
      })
      await assert.rejects(
        fixture.repository.upload(MEDIA_TYPES.ociLayer, () => pieces(BYTES)),
        (error) => {
          assert.ok(error instanceof RegistryError)
          assert.equal(error.code, 'REGISTRY_FAILED')
          assert.equal(error.status, 500)
          assert.equal(
            error.message,
            `push a layer to ${fixture.registry.host}/${NAME}: registry ${fixture.registry.host} answered 500`,
          )
          return true
        },
      )
      assert.equal(fixture.registry.requests.filter(({ method }) => method === 'PATCH').length, 6)
      assert.equal(fixture.timing.slept.length, 5)
    })

    it('cancels the upload when aborted', async () => {
      const controller = new AbortController()
      const endless = async function* (): Bytes {
        for (;;) {
          yield BYTES
          await new Promise((resolve) => setTimeout(resolve, 5))
        }
      }
      setTimeout(() => controller.abort(), 50)
      await assert.rejects(
        fixture.repository.upload(MEDIA_TYPES.ociLayer, endless, { signal: controller.signal }),
        { code: 'CANCELLED' },
      )
      assert.equal(fixture.registry.openUploads, 0)
    })
  })
})
