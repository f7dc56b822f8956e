import assert from 'node:assert/strict'
import type { FaultAction } from '../../support/registry/index.ts'
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

  it('go on where the registry says, by whatever name, and never at another host', async () => {
    const page = (tags: readonly string[], link?: string): FaultAction => ({
      kind: 'reply',
      reply: {
        status: 200,
        headers: link === undefined ? {} : { link },
        body: JSON.stringify({ name: NAME, tags }),
      },
    })
    const links = [
      `<https://registry.invalid/v2/${NAME}/tags/list?next_page=abc%2Fd>; rel="next"`,
      `<?token=2>; rel=next`,
      `<//registry.invalid/v2/${NAME}/tags/list?token=3>; title="x"; rel="next"`,
    ]
    for (const [at, link] of links.entries())
      fixture.registry.fail({ action: page([`v${at}`], link) })
    fixture.registry.fail({ action: page(['last'], '<x>; rel="prev"') })
    const found = await fixture.repository.tags({ pages: 10 })
    assert.deepEqual(found, ['v0', 'v1', 'v2', 'last'])
    assert.deepEqual(
      fixture.registry.requests.slice(1).map(({ url }) => url),
      ['next_page=abc%2Fd', 'token=2', 'token=3'].map((query) => `/v2/${NAME}/tags/list?${query}`),
    )
  })

  it('can be removed alone', async () => {
    const { manifest } = addImage(fixture.registry, NAME, { tag: 'one' })
    addImage(fixture.registry, NAME, { tag: 'other' })
    await fixture.repository.deleteTag('one')
    await assert.rejects(fixture.repository.resolve('one'), { code: 'NOT_FOUND' })
    assert.equal((await fixture.repository.resolve('other')).digest, manifest.digest)
    await fixture.repository.deleteTag('one')
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
