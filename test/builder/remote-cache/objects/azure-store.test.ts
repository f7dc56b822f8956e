import assert from 'node:assert/strict'
import { ContainerSASPermissions } from '@azure/storage-blob'
import { collect, TsbuildError } from '#core'
import type { TendedStore } from '../../../../builder/remote-cache/objects/object-store.ts'
import { openObjectStore } from '../../../../builder/remote-cache/objects/open-store.ts'
import { type Azurite, startAzurite } from '../../../support/object-stores/index.ts'
import { azurePlace } from '../object-places.ts'

describe("Azure's blob storage", () => {
  let azurite: Azurite
  before(async () => {
    azurite = await startAzurite()
  })
  after(() => azurite?.[Symbol.asyncDispose]())

  async function open(more: Parameters<typeof azurePlace>[1]): Promise<TendedStore> {
    const { tended } = await openObjectStore(azurePlace(azurite, more))
    assert.ok(tended !== undefined)
    return tended
  }
  const content = async function* (text: string) {
    yield Buffer.from(text)
  }

  it('is used with the signature of a URL, which no message shows', async () => {
    const container = await azurite.container('signed')
    const expiresOn = new Date(Date.now() + 3_600_000)
    const signedFor = async (permissions: string): Promise<string> => {
      const allowed = ContainerSASPermissions.parse(permissions)
      const { search } = new URL(
        await container.generateSasUrl({ permissions: allowed, expiresOn }),
      )
      return `${azurite.accountUrl}${search}`
    }
    const accountUrl = await signedFor('rwl')
    const store = await open({ container: 'signed', accountUrl })
    const blob = { key: 'a', size: 4 }
    await store.put(blob, content('text'), {})
    assert.equal(String(await collect(await store.open(blob, { from: 2 }), 9)), 'xt')
    const reader = await open({ container: 'signed', accountUrl: await signedFor('r') })
    assert.equal((await reader.find(blob, {}))?.size, 4)
    await assert.rejects(reader.put(blob, content('more'), {}), (error) => {
      assert.ok(error instanceof TsbuildError)
      assert.equal(error.code, 'REGISTRY_DENIED')
      assert.ok(!/sig=|signed\?/.test(`${error.message}${error.cause}`), error.message)
      return true
    })
  })

  it('lists, removes what is as old as it was listed, and makes blobs young', async () => {
    const container = await azurite.container('tended')
    const store = await open({ container: 'tended' })
    for (const key of ['p/a', 'p/b', 'q/c']) await store.put({ key, size: 1 }, content('x'), {})
    const listed = []
    for await (const object of store.list('p/', {})) listed.push(object)
    assert.deepEqual(
      listed.map(({ key, size }) => ({ key, size })),
      [
        { key: 'p/a', size: 1 },
        { key: 'p/b', size: 1 },
      ],
    )
    const [a, b] = listed
    assert.ok(a !== undefined && b !== undefined)
    await store.remove({ ...a, modified: new Date(a.modified.getTime() - 60_000) }, {})
    assert.ok(await store.find(a, {}), 'it is younger than it was listed')
    await store.remove(a, {})
    assert.equal(await store.find(a, {}), undefined)
    const before = (await container.getBlobClient('p/b').getProperties()).etag
    await store.touch(b, {})
    assert.notEqual((await container.getBlobClient('p/b').getProperties()).etag, before)
  })
})
