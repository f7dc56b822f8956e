import assert from 'node:assert/strict'
import { appendFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BuildEvent, SourceError } from '#builder'
import { hexOf, hostPlatform } from '#core'
import type { FaultAction } from '../../../support/registry/index.ts'
import {
  type ForeignImage,
  foreignImage,
  foreignLayer,
  publish,
  publishIndex,
  writeLayout,
} from '../support/images.ts'
import { namesOf, Workplace } from '../support/workplace.ts'

/** Damages an answer in one bit. */
const flipped: FaultAction = {
  kind: 'edit',
  edit: (reply) => {
    const body = Buffer.from(reply.body ?? '')
    body[20] = (body[20] ?? 0) ^ 1
    return { ...reply, body }
  },
}

describe('base images', () => {
  let at: Workplace
  beforeEach(async () => {
    at = await Workplace.open()
    at.put({ a: 'A' })
  })
  afterEach(() => at[Symbol.asyncDispose]())

  const blobs = (): readonly string[] => readdirSync(join(at.path('store'), 'blobs/sha256'))
  const hasBlob = (digest: ForeignImage['layers'][number]['descriptor']['digest']): boolean =>
    blobs().includes(hexOf(digest))

  it('are reported as cancelled when another one fails', async () => {
    at.registry.fail({ path: /slow/, times: 9, action: { kind: 'stall' } })
    const events: BuildEvent[] = []
    const lines = [`FROM ${at.at('slow')} AS a`, 'FROM 127.0.0.1:1/none', 'COPY --from=a / /']
    const building = at.build(lines, { onEvent: (event) => void events.push(event) })
    await assert.rejects(building, { code: 'REGISTRY_UNREACHABLE' })
    const ends = ['failed', 'cancelled'].map((end) => namesOf(events, end as BuildEvent['type']))
    assert.deepEqual(ends, [
      ['[internal] load metadata for 127.0.0.1:1/none:latest'],
      [`[internal] load metadata for ${at.at('slow')}:latest`],
    ])
  })

  async function isRefused(dockerfile: string | readonly string[], code: string): Promise<void> {
    await assert.rejects(at.build(dockerfile), (error) => {
      assert.ok(error instanceof SourceError, String(error))
      assert.equal(error.code, code, error.message)
      return true
    })
  }

  for (const family of ['oci', 'docker'] as const) {
    for (const compression of ['none', 'gzip', 'zstd'] as const) {
      it(`unpacks ${compression} layers of ${family} media types`, async () => {
        const low = await foreignLayer({ 'etc/': '', 'etc/x': '1', y: '2' }, compression, family)
        const high = await foreignLayer({ 'etc/.wh.x': '', z: '3' }, compression, family)
        publish(at.registry, 'base', foreignImage([low, high], { family }))
        const copy = (path: string) => [
          `FROM ${at.at('base')} AS b`,
          'FROM scratch',
          `COPY --from=b ${path} /`,
        ]
        const built = await at.build(copy('/z'))
        assert.equal(built.layers.length, 1)
        assert.ok(hasBlob(low.descriptor.digest) && hasBlob(high.descriptor.digest))
        await isRefused(copy('/etc/x'), 'NOT_FOUND')
      })
    }
  }

  it('keeps the layers of the base below its own, and its config', async () => {
    const layer = await foreignLayer({ x: '1' })
    const config = { Env: ['A=1'], User: 'me', Labels: { l: '1' } }
    publish(at.registry, 'base', foreignImage([layer], { config }))
    const built = await at.build([`FROM ${at.at('base')}`, 'COPY a /'])
    assert.equal(built.layers[0]?.diffId, layer.diffId)
    assert.equal(built.layers[0]?.createdBy, undefined)
    assert.equal(built.layers.length, 2)
  })

  it('chooses this platform out of an index', async () => {
    const [own, other] = [await foreignLayer({ own: '' }), await foreignLayer({ other: '' })]
    const architecture = hostPlatform().architecture === 'amd64' ? 'arm64' : 'amd64'
    const images = [
      foreignImage([other], { platform: { os: 'linux', architecture } }),
      foreignImage([own]),
    ]
    for (const family of ['oci', 'docker'] as const) {
      publishIndex(at.registry, `base-${family}`, { images, family })
      const built = await at.build([`FROM ${at.at(`base-${family}`)}`, 'COPY a /'])
      assert.equal(built.layers[0]?.diffId, own.diffId)
    }
    const crossed = await at.build([`FROM ${at.at('base-oci')}`, 'COPY a /'], {
      platform: `linux/${architecture}`,
    })
    assert.equal(crossed.layers[0]?.diffId, other.diffId)
    await assert.rejects(
      at.build([`FROM ${at.at('base-oci')}`, 'COPY a /'], { platform: 'linux/s390x' }),
      { code: 'PLATFORM_MISMATCH' },
    )
  })

  it('are not asked for by stages that nothing needs', async () => {
    publish(at.registry, 'base', foreignImage([await foreignLayer({ x: '1' })]))
    await at.build([`FROM ${at.at('base')} AS unused`, 'FROM scratch', 'COPY a /a'])
    assert.deepEqual(at.takeLog(), [])
  })

  it('requests once the manifest of a tag that has not moved', async () => {
    publish(at.registry, 'base', foreignImage([await foreignLayer({ x: '1' })]))
    const text = [`FROM ${at.at('base')}`, 'COPY a /a']
    await at.build(text)
    at.takeLog()
    const second = await at.build(text)
    assert.deepEqual(at.takeLog(), ['HEAD /v2/base/manifests/latest'])
    assert.deepEqual(second.steps, { total: 1, cached: 1 })
  })

  it('shows the download of a base as one vertex, and its failure as one', async () => {
    const layers = [await foreignLayer({ x: '1' }), await foreignLayer({ y: '1' })]
    publish(at.registry, 'base', foreignImage(layers))
    const text = [`FROM ${at.at('base')} AS b`, 'FROM scratch', 'COPY --from=b /x /']
    at.registry.fail({ path: /\/blobs\//, after: 1, times: 9, action: flipped })
    const failed: string[] = []
    await assert.rejects(
      at.build(text, {
        onEvent: (event) => void (event.type === 'failed' && failed.push(event.vertex)),
      }),
    )
    assert.ok(failed.some((vertex) => vertex.startsWith('pull ')))
    at.registry.clearFaults()
    const built = await at.build(text)
    const pulls = namesOf(built.events, 'done').filter((name) => name.startsWith('pull '))
    assert.equal(pulls.length, 1)
  })

  describe('that are damaged', () => {
    const useBase = (): readonly string[] => [
      `FROM ${at.at('base')} AS b`,
      'FROM scratch',
      'COPY --from=b /x /',
    ]

    it('are refused for a wrong digest, and nothing is kept', async () => {
      const layer = await foreignLayer({ x: '1' })
      publish(at.registry, 'base', foreignImage([layer]))
      const path = new RegExp(layer.descriptor.digest)
      at.registry.fail({ method: 'GET', path, times: 99, action: flipped })
      await isRefused(useBase(), 'DIGEST_MISMATCH')
      assert.equal(hasBlob(layer.descriptor.digest), false)
      assert.deepEqual(readdirSync(join(at.path('store'), 'layers')), [])
    })

    it('are refused for a wrong size, and nothing is kept', async () => {
      const layer = await foreignLayer({ x: '1' })
      const { descriptor } = layer
      const lie = { ...layer, descriptor: { ...descriptor, size: descriptor.size - 1 } }
      publish(at.registry, 'base', foreignImage([lie]))
      await isRefused(useBase(), 'SIZE_MISMATCH')
      assert.equal(hasBlob(descriptor.digest), false)
    })

    it('are refused for a wrong diffID, and no layer is kept', async () => {
      const [layer, other] = [await foreignLayer({ x: '1' }), await foreignLayer({ x: '2' })]
      publish(at.registry, 'base', foreignImage([layer], { diffIds: [other.diffId] }))
      await isRefused(useBase(), 'DIGEST_MISMATCH')
      assert.deepEqual(readdirSync(join(at.path('store'), 'layers')), [])
    })

    it('are refused for the wrong diffID of a plain layer before any work', async () => {
      const [layer, other] = [
        await foreignLayer({ x: '1' }, 'none'),
        await foreignLayer({ x: '2' }),
      ]
      publish(at.registry, 'base', foreignImage([layer], { diffIds: [other.diffId] }))
      await isRefused([`FROM ${at.at('base')}`, 'COPY a /'], 'CONFIG_INVALID')
    })

    it('are refused when they are not an image', async () => {
      const layer = await foreignLayer({ x: '1' })
      publish(at.registry, 'base', foreignImage([layer]))
      await at.build(useBase())
      await isRefused(`FROM ${at.at('base')}@${layer.descriptor.digest}`, 'NOT_FOUND')
    })

    it('are fetched once more when they come damaged', async () => {
      const layer = await foreignLayer({ x: '1' })
      publish(at.registry, 'base', foreignImage([layer]))
      at.registry.fail({ method: 'GET', path: /manifests/, action: flipped })
      // The config, then the layer.
      for (const after of [0, 1]) {
        at.registry.fail({ path: /blobs/, after, action: flipped })
      }
      await at.build(useBase())
      const fetched = at.registry.requests.filter(({ url }) => url.includes('/blobs/'))
      assert.equal(fetched.length, 4)
      const gets = at.registry.requests.filter(
        ({ method, url }) => method === 'GET' && url.includes('/manifests/'),
      )
      assert.equal(gets.length, 2)
    })

    it('are fetched again when the store has damaged them', async () => {
      const layer = await foreignLayer({ x: '1' })
      publish(at.registry, 'base', foreignImage([layer]))
      await at.build([`FROM ${at.at('base')}`, 'CMD ["/x"]'])
      const path = join(at.path('store'), 'blobs/sha256', hexOf(layer.descriptor.digest))
      writeFileSync(path, Buffer.alloc(layer.bytes.length))
      await isRefused(useBase(), 'DIGEST_MISMATCH')
      await at.build(useBase())
    })
  })

  describe('from an OCI layout', () => {
    let image: ForeignImage
    let name: string
    beforeEach(async () => {
      image = foreignImage([await foreignLayer({ x: '1' })])
      writeLayout(at.path('layout'), image, 'v1')
      name = `oci-layout://${at.path('layout')}`
    })
    const use = (from: string): readonly string[] => [
      `FROM ${from} AS b`,
      'FROM scratch',
      'COPY --from=b /x /',
    ]
    const blob = (digest: ForeignImage['manifest']['descriptor']['digest']): string =>
      join(at.path('layout'), 'blobs/sha256', hexOf(digest))

    it('are found by tag, by digest, and alone', async () => {
      const { digest } = image.manifest.descriptor
      for (const from of [`${name}:v1`, `${name}@${digest}`, name]) {
        assert.equal((await at.build(use(from))).layers.length, 1)
      }
      assert.equal(
        (await at.build([`FROM ${name}:v1`, 'COPY a /'], { tags: ['x'] })).layers.length,
        2,
      )
    })

    it('are refused when there is no such image', async () => {
      await isRefused(use(`${name}:v2`), 'NOT_FOUND')
      await isRefused(use(`oci-layout://${at.path('nowhere')}`), 'NOT_FOUND')
      await isRefused(use(`${name}@sha256:12`), 'REFERENCE_INVALID')
      await isRefused(use(`${name}@${image.layers[0]?.descriptor.digest}`), 'MANIFEST_INVALID')
    })

    it('are refused when a blob is not what it is called', async () => {
      const [layer] = image.layers
      assert.ok(layer)
      writeFileSync(blob(layer.descriptor.digest), Buffer.alloc(layer.bytes.length))
      await isRefused(use(`${name}:v1`), 'DIGEST_MISMATCH')
      assert.equal(hasBlob(layer.descriptor.digest), false)
    })

    it('are refused when the manifest is not what it is called', async () => {
      const { digest } = image.manifest.descriptor
      appendFileSync(blob(digest), ' ')
      await isRefused(use(`${name}:v1`), 'SIZE_MISMATCH')
      await isRefused(use(`${name}@${digest}`), 'DIGEST_MISMATCH')
    })
  })

  describe('from the local store', () => {
    it('are found by name before the registry is asked, unless pull is set', async () => {
      const remote = await foreignLayer({ x: '1' })
      publish(at.registry, 'base', foreignImage([remote]))
      const local = await at.build('FROM scratch\nCOPY a /', { tags: [at.at('base')] })
      const text = [`FROM ${at.at('base')}`, 'COPY a /b']
      const first = await at.build(text)
      assert.equal(first.layers[0]?.diffId, local.layers[0]?.diffId)
      assert.deepEqual(at.takeLog(), [])
      const pulled = await at.build(text, { pull: true })
      assert.equal(pulled.layers[0]?.diffId, remote.diffId)
    })

    it('can be copied from', async () => {
      await at.build('FROM scratch\nCOPY a /x/', { tags: ['local/one'] })
      const built = await at.build('FROM scratch\nCOPY --from=local/one /x/a /y')
      assert.equal(built.layers.length, 1)
    })

    it('are refused for another platform', async () => {
      const platform = hostPlatform().architecture === 'amd64' ? 'linux/arm64' : 'linux/amd64'
      await at.build('FROM scratch\nCOPY a /', { tags: ['local/one'], platform })
      await isRefused('FROM local/one', 'PLATFORM_MISMATCH')
    })
  })

  describe('with ONBUILD', () => {
    it('run their triggers, which may use stages and images', async () => {
      publish(at.registry, 'other', foreignImage([await foreignLayer({ y: '2' })]))
      const OnBuild = ['COPY a /triggered', `COPY --from=${at.at('other')} /y /`, 'WORKDIR /w']
      const image = foreignImage([await foreignLayer({ x: '1' })], { config: { OnBuild } })
      publish(at.registry, 'base', image)
      const built = await at.build([`FROM ${at.at('base')}`, 'COPY a /own'])
      assert.deepEqual(
        built.layers.slice(1).map(({ createdBy }) => createdBy?.replace(at.registry.host, 'HOST')),
        [
          '[stage-0 2/5] ONBUILD COPY a /triggered',
          '[stage-0 3/5] ONBUILD COPY --from=HOST/other /y /',
          '[stage-0 4/5] ONBUILD WORKDIR /w',
          '[stage-0 5/5] COPY a /own',
        ],
      )
    })

    it('fail at the FROM line', async () => {
      for (const trigger of ['STOPSIGNAL SIGNOT', 'COPY a "/', 'COPI a /']) {
        const image = foreignImage([await foreignLayer({ x: '1' })], {
          config: { OnBuild: [trigger] },
        })
        publish(at.registry, 'base', image)
        await assert.rejects(at.build(['', '# comment', `FROM ${at.at('base')}`]), (error) => {
          assert.ok(error instanceof SourceError, String(error))
          assert.equal(error.ranges[0]?.start.line, 3)
          return true
        })
      }
    })
  })
})
