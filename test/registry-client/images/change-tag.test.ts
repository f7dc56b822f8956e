import assert from 'node:assert/strict'
import { MEDIA_TYPES, parseIndex, serializeIndex } from '#core'
import type { RegistryClient, Repository } from '#registry-client'
import { changeTag } from '../../../registry-client/images/change-tag.ts'
import type { FetchedManifest } from '../../../registry-client/repository/manifests.ts'
import { MemoryRegistry } from '../../support/registry/index.ts'
import { clientFor, repositoryOf } from '../support.ts'

const mediaType = MEDIA_TYPES.ociIndex
const documentOf = (names: readonly string[]) => ({
  mediaType,
  bytes: serializeIndex({ mediaType, manifests: [], annotations: { names: names.join() } }),
})
const namesOf = (bytes: Uint8Array | undefined): readonly string[] =>
  bytes === undefined ? [] : (parseIndex(bytes).annotations?.names ?? '').split(',')

/** Adds a name unless it is there. */
const adding = (name: string) => async (current: FetchedManifest | undefined) => {
  const names = namesOf(current?.bytes)
  return names.includes(name) ? undefined : documentOf([...names, name])
}

describe('a tag that several write', () => {
  let registry: MemoryRegistry
  let client: RegistryClient
  let repository: Repository
  beforeEach(async () => {
    registry = await MemoryRegistry.start()
    client = clientFor()
    repository = repositoryOf(client, registry)
  })
  afterEach(async () => {
    await client.close()
    await registry.close()
  })
  const names = () => namesOf(registry.manifest('team/app', 'list')?.bytes)
  /** Another writer, who has not seen what was written, is the last one. */
  const overwritten = (times: number): void =>
    registry.fail({
      ...{ method: 'GET', path: /\/manifests\/list$/, after: 1, times },
      action: {
        kind: 'before',
        run: () => {
          const { bytes } = documentOf(['other'])
          registry.addManifest('team/app', 'list', { mediaType, bytes: Buffer.from(bytes) })
        },
      },
    })

  it('is changed, and read back', async () => {
    await changeTag(repository, 'list', adding('a'))
    await changeTag(repository, 'list', adding('b'))
    assert.deepEqual(names(), ['a', 'b'])
    const before = registry.requests.length
    await changeTag(repository, 'list', adding('a'))
    assert.equal(registry.requests.length, before + 1)
  })

  it('is changed again where another one has written over it', async () => {
    overwritten(1)
    await changeTag(repository, 'list', adding('a'))
    assert.deepEqual(names(), ['other', 'a'])
  })

  it('is an error where others go on writing', async () => {
    overwritten(100)
    await assert.rejects(changeTag(repository, 'list', adding('a')), { code: 'REGISTRY_FAILED' })
  })
})
