import assert from 'node:assert/strict'
import { useRegistry } from '../fixture.ts'
import { addImage } from '../support.ts'

const NAME = 'team/app'

describe('tags', () => {
  const fixture = useRegistry()
  const add = (count: number): readonly string[] => {
    const tags = Array.from({ length: count }, (_, index) => `v${String(index).padStart(4, '0')}`)
    for (const tag of tags) addImage(fixture.registry, NAME, { tag })
    return tags
  }

  it('are listed in as many answers as it takes', async () => {
    const tags = add(250)
    const found = await fixture.repository.tags({ pages: 10 })
    assert.deepEqual([...found].sort(), tags)
    assert.equal(fixture.registry.requests.length, 3)
  })

  it('are listed from one on, which need not be there', async () => {
    const tags = add(30)
    const found = await fixture.repository.tags({ pages: 1, after: 'v0019-and-more' })
    assert.deepEqual(found, tags.slice(20))
  })

  it('are listed in a bounded number of answers', async () => {
    add(350)
    assert.equal((await fixture.repository.tags({ pages: 2 })).length, 200)
  })

  it('of a repository that does not exist are an error', async () => {
    await assert.rejects(fixture.repository.tags({ pages: 1 }), { code: 'NOT_FOUND' })
  })

  it('go with the manifest that they lead to', async () => {
    const { manifest } = addImage(fixture.registry, NAME, { tag: 'gone' })
    await fixture.repository.deleteManifest(manifest.digest)
    await assert.rejects(fixture.repository.resolve('gone'), { code: 'NOT_FOUND' })
    // Someone else may have been faster.
    await fixture.repository.deleteManifest(manifest.digest)
  })

  it('stay where the registry removes nothing', async () => {
    const { manifest } = addImage(fixture.registry, NAME, { tag: 'kept' })
    fixture.registry.fail({ method: 'DELETE', action: { kind: 'reply', reply: { status: 405 } } })
    const removing = fixture.repository.deleteManifest(manifest.digest)
    await assert.rejects(removing, { code: 'REGISTRY_FAILED' })
    assert.equal((await fixture.repository.resolve('kept')).digest, manifest.digest)
  })
})
