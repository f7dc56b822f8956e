import assert from 'node:assert/strict'
import { MEDIA_TYPES } from '#core'
import { createRegistryClient, parseReference, type RegistryClient } from '#registry-client'
import type { CacheShelf } from '../../../builder/remote-cache/shelf/cache-shelf.ts'
import { registryShelf } from '../../../builder/remote-cache/shelf/registry-shelf.ts'
import {
  costOf,
  NO_CREDENTIALS,
  publishAll,
  putText,
  readingOf,
  sharedKey,
  sharedResult,
} from '../../suites/cache-shelf.ts'
import { MemoryRegistry } from '../../support/registry/index.ts'

describe('a cache in a registry', () => {
  let registry: MemoryRegistry
  let client: RegistryClient
  beforeEach(async () => {
    registry = await MemoryRegistry.start()
    client = createRegistryClient({ credentials: NO_CREDENTIALS })
  })
  afterEach(async () => {
    await client.close()
    await registry[Symbol.asyncDispose]()
  })

  const open = (): CacheShelf =>
    registryShelf(client, parseReference(`${registry.host}/team/app:cache`))
  const always = { times: Number.POSITIVE_INFINITY }
  const answer = (status: number) => ({ kind: 'reply', reply: { status } }) as const

  async function publishMany(count: number, grace: number): Promise<void> {
    const blob = await putText(open(), 'layer')
    for (let index = 0; index < count; index++) {
      await publishAll(open(), [sharedResult(`step ${index}`, blob)], { grace })
    }
  }
  const cost = (count: number): ReturnType<typeof costOf> =>
    costOf(
      open(),
      Array.from({ length: count }, (_, index) => `step ${index}`),
    )

  it('that removes nothing costs a lookup no more with time', async () => {
    registry.fail({ method: 'DELETE', ...always, action: answer(405) })
    await publishMany(10, 0)
    const few = await cost(10)
    await publishMany(40, 0)
    const many = await cost(40)
    assert.equal(many.requests, few.requests)
    const all = await client
      .repository(parseReference(`${registry.host}/team/app`))
      .tags({ pages: 9 })
    assert.ok(all.length >= 40, `${all.length} tags`)
    const listed = await namesOf(open())
    assert.ok(listed.length <= 3, `${listed.length} names behind the mark`)
  })

  it('that lists no tags has what its writers have merged', async () => {
    registry.fail({ path: /\/tags\/list/, ...always, action: answer(404) })
    await publishMany(5, 0)
    assert.equal((await cost(5)).requests, 3)
  })

  it('keeps entries until nobody can be at work with an index that lacks them', async () => {
    await publishMany(5, 60_000)
    assert.equal((await namesOf(open())).length, 5)
    assert.equal(registry.log.filter((one) => one.startsWith('DELETE')).length, 0)
    await publishMany(7, 0)
    assert.ok((await namesOf(open())).length <= 2)
  })

  it('does not lose what an index lacks that a slow writer has written over another', async () => {
    const blob = await putText(open(), 'layer')
    await publishAll(open(), [sharedResult('step 0', blob)])
    const old = await open().readIndex({})
    await publishAll(open(), [sharedResult('step 1', blob)])
    await open().putIndex({ ...old.descriptor, bytes: old.bytes }, {})
    assert.ok((await cost(2)).requests > 3, 'the entry is read')
    await publishAll(open(), [sharedResult('step 2', blob)])
    assert.equal((await cost(3)).requests, 3)
  })

  it('that loses the tag for a moment is asked again', async () => {
    await publishMany(1, 0)
    registry.fail({ method: 'GET', path: /manifests\/cache$/, action: answer(404) })
    assert.equal((await cost(1)).requests, 3)
  })

  it('that does not answer is given up', async () => {
    await publishMany(1, 0)
    registry.fail({ path: /\/blobs\//, ...always, action: { kind: 'stall' } })
    const { reader, problems } = readingOf(open(), { patience: 300 })
    const started = performance.now()
    assert.equal((await reader.find([sharedKey('step 0')])).size, 0)
    assert.ok(performance.now() - started < 5000)
    assert.match(String(problems), /did not answer within 0.3 seconds/)
  })

  it('says what it finds in place of a cache', async () => {
    const config = await putText(open(), '{}')
    const described = { ...config, mediaType: 'application/vnd.buildkit.cacheconfig.v0' }
    const manifest = { config: described, layers: [config] }
    const index = { manifests: [config, described] }
    for (const [mediaType, content] of [
      [MEDIA_TYPES.ociManifest, manifest],
      [MEDIA_TYPES.ociIndex, index],
    ] as const) {
      const document = { schemaVersion: 2, mediaType, ...content }
      await open().putIndex({ mediaType, bytes: Buffer.from(JSON.stringify(document)) }, {})
      const { reader, problems } = readingOf(open())
      assert.equal((await reader.find([sharedKey('a'), sharedKey('b')])).size, 0)
      assert.equal(problems.length, 1)
      assert.match(String(problems), /a cache of BuildKit, which only BuildKit can use/)
      const results = [sharedResult('a', config)]
      await assert.rejects(publishAll(open(), results), { code: 'UNSUPPORTED' })
    }
  })

  it('says that it is denied', async () => {
    registry.fail({ ...always, action: answer(403) })
    await assert.rejects(open().readIndex({}), { code: 'REGISTRY_DENIED' })
  })
})

async function namesOf(shelf: CacheShelf): Promise<readonly string[]> {
  if (shelf.writers.kind !== 'entries') assert.fail('a registry has entries')
  const { annotations } = JSON.parse((await shelf.readIndex({})).bytes.toString())
  return await shelf.writers.list(annotations['tsbuild.cache.mark'], {})
}
