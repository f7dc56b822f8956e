import assert from 'node:assert/strict'
import { type AddressInfo, createServer } from 'node:net'
import { inspect } from 'node:util'
import { RegistryError } from '#registry-client'
import { MemoryRegistry, Recorder } from '../../support/registry/index.ts'
import { makeCertificate } from '../../support/servers/index.ts'
import { useRegistry } from '../fixture.ts'
import { addImage, clientFor, repositoryOf, someBytes } from '../support.ts'

const NAME = 'team/app'

describe('transport', () => {
  describe('retry', () => {
    const fixture = useRegistry()

    beforeEach(() => {
      addImage(fixture.registry, NAME, { tag: '1' })
    })

    it('repeats a request, waiting longer each time', async () => {
      fixture.registry.fail({ times: 5, action: { kind: 'reply', reply: { status: 503 } } })
      await fixture.repository.fetchManifest('1')
      assert.equal(fixture.registry.requests.length, 6)
      assert.deepEqual(fixture.timing.slept, [500, 1000, 2000, 4000, 8000])
    })

    it('gives up after six attempts, with the last answer', async () => {
      const body = '{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}'
      fixture.registry.fail({ times: 99, action: { kind: 'reply', reply: { status: 429, body } } })
      await assert.rejects(fixture.repository.fetchManifest('1'), (error) => {
        assert.ok(error instanceof RegistryError)
        assert.equal(error.status, 429)
        assert.deepEqual(error.registryCodes, ['TOOMANYREQUESTS'])
        assert.match(error.message, /answered 429: slow down \(TOOMANYREQUESTS\)$/)
        return true
      })
      assert.equal(fixture.registry.requests.length, 6)
    })

    for (const status of [400, 403, 404, 405, 410, 501]) {
      it(`does not repeat after ${status}`, async () => {
        fixture.registry.fail({ action: { kind: 'reply', reply: { status } } })
        await assert.rejects(fixture.repository.fetchManifest('1'), { status })
        assert.equal(fixture.registry.requests.length, 1)
      })
    }

    it('waits as long as Retry-After requires', async () => {
      const reply = { status: 429, headers: { 'retry-after': '3' } }
      fixture.registry.fail({ action: { kind: 'reply', reply } })
      await fixture.repository.fetchManifest('1')
      assert.deepEqual(fixture.timing.slept, [3000])
    })

    it('ends the wait when cancelled', async () => {
      const client = clientFor({ timing: undefined })
      const reply = { status: 429, headers: { 'retry-after': '60' } }
      fixture.registry.fail({ times: 9, action: { kind: 'reply', reply } })
      const signal = AbortSignal.timeout(50)
      const started = performance.now()
      await assert.rejects(repositoryOf(client, fixture.registry).resolve('1', { signal }), {
        code: 'CANCELLED',
      })
      assert.ok(performance.now() - started < 2000)
      await client.close()
    })

    it('repeats after a reset', async () => {
      fixture.registry.fail({ times: 3, action: { kind: 'reset' } })
      await fixture.repository.fetchManifest('1')
      assert.equal(fixture.registry.requests.length, 4)
    })

    it('repeats when the document breaks off', async () => {
      fixture.registry.fail({ times: 2, action: { kind: 'cut', afterBytes: 20, how: 'reset' } })
      fixture.registry.fail({ action: { kind: 'cut', afterBytes: 20, how: 'end' } })
      await fixture.repository.fetchManifest('1')
      assert.equal(fixture.registry.requests.length, 4)
    })

    it('refuses headers without end', async () => {
      const reply = { status: 200, headers: { 'x-much': 'x'.repeat(40_000) } }
      fixture.registry.fail({ times: 9, action: { kind: 'reply', reply } })
      await assert.rejects(fixture.repository.fetchManifest('1'), { code: 'REGISTRY_UNREACHABLE' })
    })
  })

  describe('time-outs', () => {
    it('end a connection that drips', async () => {
      await using registry = await MemoryRegistry.start()
      const client = clientFor({ timeouts: { slow: 300, idle: 200 } })
      const blob = registry.addBlob(NAME, someBytes(10_000))
      registry.fail({ times: 9, action: { kind: 'trickle', bytes: 1, pause: 30 } })
      await assert.rejects(
        async () => {
          for await (const chunk of await repositoryOf(client, registry).open(blob)) {
            assert.ok(chunk.length < 1000)
          }
        },
        { code: 'REGISTRY_UNREACHABLE' },
      )
      await client.close()
    })
  })

  describe('redirects', () => {
    it('end after ten', async () => {
      await using registry = await MemoryRegistry.start()
      addImage(registry, NAME, { tag: '1' })
      const headers = { location: `/v2/${NAME}/manifests/1` }
      registry.fail({ times: 10, action: { kind: 'reply', reply: { status: 302, headers } } })
      const repository = repositoryOf(clientFor(), registry)
      await repository.fetchManifest('1')
      registry.fail({ times: 11, action: { kind: 'reply', reply: { status: 302, headers } } })
      await assert.rejects(repository.fetchManifest('1'), { code: 'REGISTRY_FAILED' })
    })

    for (const location of [
      'file:///etc/passwd',
      'http://[',
      'ftp://127.0.0.1/x',
      'http://169.254.169.254/latest',
      'http://[64:ff9b::a9fe:a9fe]/latest',
      'http://[2002:a9fe:a9fe::]/latest',
    ]) {
      it(`do not lead to ${location}`, async () => {
        await using registry = await MemoryRegistry.start()
        registry.fail({ action: { kind: 'reply', reply: { status: 302, headers: { location } } } })
        await assert.rejects(repositoryOf(clientFor(), registry).fetchManifest('1'), {
          code: 'REGISTRY_FAILED',
        })
      })
    }

    it('on HEAD do not tell whether a blob is there when storage does not answer HEAD', async () => {
      await using storage = await Recorder.start(() => ({ status: 403 }))
      await using registry = await MemoryRegistry.start()
      const blob = registry.addBlob(NAME, someBytes(10))
      const headers = { location: `${storage.origin}/x` }
      registry.fail({ action: { kind: 'reply', reply: { status: 307, headers } } })
      assert.equal(await repositoryOf(clientFor(), registry).has(blob), false)
    })
  })

  describe('headers', () => {
    it('name the agent, and warnings are passed on once', async () => {
      await using registry = await MemoryRegistry.start()
      addImage(registry, NAME, { tag: '1' })
      const warning = '299 - "this image is \\"old\\"", 299 - "move\u0007 on", 110 x "no"'
      registry.fail({
        times: 2,
        action: {
          kind: 'edit',
          edit: (reply) => ({ ...reply, headers: { ...reply.headers, warning: ascii(warning) } }),
        },
      })
      const warnings: string[] = []
      const client = clientFor({
        userAgent: 'tsbuild/1.2.3',
        onWarning: (message) => warnings.push(message),
      })
      const repository = repositoryOf(client, registry)
      await repository.resolve('1')
      await repository.resolve('1')
      assert.deepEqual(warnings, [
        `registry ${registry.host}: this image is "old"`,
        `registry ${registry.host}: move on`,
      ])
      assert.equal(registry.requests[0]?.headers['user-agent'], 'tsbuild/1.2.3')
      await client.close()
    })
  })

  describe('unreachable registries', () => {
    const cases: readonly (readonly [string, string, RegExp])[] = [
      [
        'nothing listens',
        '127.0.0.1:9',
        /cannot reach registry 127\.0\.0\.1:9: connection refused/,
      ],
      [
        'the name is unknown',
        'nowhere.invalid',
        /cannot reach registry nowhere\.invalid: no such host/,
      ],
    ]
    for (const [what, registry, message] of cases) {
      it(`say that ${what}`, async () => {
        const client = clientFor()
        const work = client.repository({ registry, repository: 'a' }).resolve('1')
        await assert.rejects(work, { code: 'REGISTRY_UNREACHABLE', message })
        await client.close()
      })
    }

    it('say that it does not speak HTTP, and keep what it said to themselves', async () => {
      const server = createServer((socket) => socket.end('220 smtp open-sesame\r\n'))
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const { port } = server.address() as AddressInfo
      const client = clientFor()
      try {
        const work = client.repository({ registry: `127.0.0.1:${port}`, repository: 'a' })
        await assert.rejects(work.resolve('1'), (error) => {
          assert.ok(error instanceof RegistryError)
          assert.equal(error.code, 'REGISTRY_UNREACHABLE')
          assert.match(error.message, /the answer is not HTTP$/)
          assert.equal(inspect(error, { depth: 9 }).includes('open-sesame'), false)
          return true
        })
      } finally {
        await client.close()
        server.close()
      }
    })
  })

  describe('insecure hosts', () => {
    let tls: ReturnType<typeof makeCertificate>

    before(() => {
      tls = makeCertificate()
    })

    it('are asked over https first, whatever their certificate', async function () {
      if (tls === undefined) return this.skip()
      await using registry = await MemoryRegistry.start({ tls })
      const client = clientFor({ insecure: [registry.host] })
      const { manifest } = addImage(registry, NAME, { tag: '1' })
      const resolved = await repositoryOf(client, registry).resolve('1')
      assert.equal(resolved.digest, manifest.digest)
      await client.close()
    })

    it('may speak plain http', async () => {
      await using registry = await MemoryRegistry.start()
      const client = clientFor({ insecure: [registry.host] })
      const { manifest } = addImage(registry, NAME, { tag: '1' })
      const resolved = await repositoryOf(client, registry).resolve('1')
      assert.equal(resolved.digest, manifest.digest)
      await client.close()
    })
  })
})

/** Headers travel as latin1; control characters are refused by Node, so they go in escaped. */
function ascii(text: string): string {
  return text.replace(/\p{C}/gu, '\t')
}
