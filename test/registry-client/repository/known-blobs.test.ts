import assert from 'node:assert/strict'
import { type Digest, MEDIA_TYPES } from '#core'
import type { BlobMemory, Repository } from '#registry-client'
import type { FaultAction } from '../../support/registry/index.ts'
import { MemoryRegistry } from '../../support/registry/index.ts'
import {
  ALICE,
  blobOf,
  clientFor,
  fixedCredentials,
  pieces,
  repositoryOf,
  someBytes,
} from '../support.ts'

const BYTES = someBytes(20_000)
const BLOB = blobOf(BYTES)

/** What is remembered, the latest first: `registry/repository digest`. */
class Notes implements BlobMemory {
  readonly lines: string[] = []

  find(registry: string, digest: Digest): readonly string[] {
    const prefix = `${registry}/`
    return this.lines.flatMap((line) => {
      const [name = '', found] = line.split(' ')
      return found === digest && name.startsWith(prefix) ? [name.slice(prefix.length)] : []
    })
  }

  add(repository: Parameters<BlobMemory['add']>[0], digest: Digest): void {
    this.forget(repository, digest)
    this.lines.unshift(lineOf(repository, digest))
  }

  forget(repository: Parameters<BlobMemory['add']>[0], digest: Digest): void {
    const at = this.lines.indexOf(lineOf(repository, digest))
    if (at >= 0) this.lines.splice(at, 1)
  }
}

function lineOf({ registry, repository }: Parameters<BlobMemory['add']>[0], digest: Digest) {
  return `${registry}/${repository} ${digest}`
}

describe('blobs that are known to be in a registry', () => {
  let registry: MemoryRegistry
  let notes: Notes
  beforeEach(async () => {
    registry = await MemoryRegistry.start()
    notes = new Notes()
  })
  afterEach(() => registry?.close())

  /** A repository as a new process has it. */
  async function use<T>(name: string, work: (repository: Repository) => Promise<T>): Promise<T> {
    await using client = clientFor({ memory: notes })
    return await work(repositoryOf(client, registry, name))
  }
  const known = (): readonly string[] => notes.find(registry.host, BLOB.digest)
  const remember = (...names: readonly string[]): void => {
    for (const repository of names) notes.add({ registry: registry.host, repository }, BLOB.digest)
  }
  const obtain = (name: string) => use(name, (repository) => repository.obtain(BLOB))

  it('are those that were seen, read, sent and mounted', async () => {
    registry.addBlob('seen', BYTES)
    registry.addBlob('read', BYTES)
    await use('seen', (repository) => repository.has(BLOB))
    await use('read', async (repository) => void (await repository.open(BLOB)))
    await use('put', (repository) => repository.put(BLOB, () => pieces(BYTES)))
    await use('streamed', (repository) => repository.upload(BLOB.mediaType, () => pieces(BYTES)))
    await use('mounted', (repository) => repository.mount(BLOB, 'seen'))
    await use('not', (repository) => repository.has(BLOB))
    await use('failed', (repository) => repository.mount(BLOB, 'nothing'))
    assert.deepEqual(known(), ['mounted', 'streamed', 'put', 'read', 'seen'])
  })

  it('are mounted without a question from where they were seen last', async () => {
    registry.addBlob('one', BYTES)
    registry.addBlob('two', BYTES)
    remember('one', 'two')
    assert.equal(await obtain('new'), 'mounted')
    assert.deepEqual(
      registry.requests.map(({ method, url }) => `${method} ${url}`),
      [`POST /v2/new/blobs/uploads/?mount=${encodeURIComponent(BLOB.digest)}&from=two`],
    )
    assert.deepEqual(registry.blob('new', BLOB.digest), BYTES)
  })

  it('are looked for where they were sent', async () => {
    registry.addBlob('app', BYTES)
    remember('app', 'other')
    assert.equal(await obtain('app'), 'exists')
    assert.deepEqual(registry.log, [`HEAD /v2/app/blobs/${BLOB.digest}`])
  })

  it('are asked for once by one process', async () => {
    registry.addBlob('app', BYTES)
    await use('app', async (repository) => {
      assert.equal(await repository.obtain(BLOB), 'exists')
      assert.equal(await repository.obtain(BLOB), 'exists')
    })
    assert.equal(registry.requests.length, 1)
  })

  it('are forgotten where they are not any more', async () => {
    remember('gone', 'app')
    assert.equal(await obtain('app'), undefined)
    assert.deepEqual(known(), [])
    assert.equal(registry.openUploads, 0)
    registry.addBlob('app', BYTES)
    assert.equal(await obtain('app'), 'exists')
    assert.deepEqual(known(), ['app'])
  })

  it('are found here when others have lost them', async () => {
    registry.addBlob('app', BYTES)
    remember('gone')
    assert.equal(await obtain('app'), 'exists')
    assert.deepEqual(known(), ['app'])
  })

  it('are tried in three repositories at the most', async () => {
    remember('one', 'two', 'three', 'four', 'five')
    assert.equal(await obtain('app'), undefined)
    const tried = registry.requests.filter(({ url }) => url.includes('?mount='))
    assert.equal(tried.length, 3)
  })

  it('are sent at once where the registry mounts nothing', async () => {
    const layers = Array.from({ length: 12 }, (_, index) => someBytes(100 + index, index))
    for (const layer of layers) {
      notes.add({ registry: registry.host, repository: 'base' }, blobOf(layer).digest)
    }
    await use('app', async (repository) => {
      for (const layer of layers) assert.equal(await repository.obtain(blobOf(layer)), undefined)
    })
    const tried = registry.requests.filter(({ url }) => url.includes('?mount='))
    assert.equal(tried.length, 6)
  })

  const outcomes: readonly (readonly [string, FaultAction, readonly string[]])[] = [
    ['is denied', { kind: 'reply', reply: { status: 403 } }, []],
    ['is not found', { kind: 'reply', reply: { status: 404 } }, []],
    ['fails', { kind: 'reply', reply: { status: 500 } }, ['base']],
  ]
  for (const [what, action, left] of outcomes) {
    it(`are put after a mount that ${what}`, async () => {
      registry.addBlob('base', BYTES)
      remember('base')
      registry.fail({ method: 'POST', path: /[?]mount=/, times: 9, action })
      assert.equal(await obtain('app'), undefined)
      assert.deepEqual(known(), left)
    })
  }

  it('are asked for once of a repository that may not be read', async () => {
    const other = someBytes(100, 7)
    registry.addBlob('secret', BYTES)
    registry.addBlob('secret', other)
    remember('secret')
    notes.add({ registry: registry.host, repository: 'secret' }, blobOf(other).digest)
    const action = { kind: 'reply', reply: { status: 401 } } as const
    registry.fail({ method: 'POST', path: /[?]mount=/, times: 9, action })
    await use('app', async (repository) => {
      assert.equal(await repository.obtain(BLOB), undefined)
      assert.equal(await repository.obtain(blobOf(other)), undefined)
    })
    assert.equal(registry.requests.filter(({ method }) => method === 'POST').length, 1)
  })

  it('are told to no other registry', async () => {
    await using other = await MemoryRegistry.start()
    registry.addBlob('secret/base', BYTES)
    remember('secret/base')
    await using client = clientFor({ memory: notes })
    assert.equal(await repositoryOf(client, other, 'app').obtain(BLOB), undefined)
    assert.ok(other.requests.length > 0)
    assert.doesNotMatch(JSON.stringify(other.requests), /secret/)
  })

  it('are remembered without credentials', async () => {
    const auth = { kind: 'bearer', users: { alice: ALICE.password } } as const
    await using guarded = await MemoryRegistry.start({ auth })
    await using client = clientFor({ memory: notes, credentials: fixedCredentials(ALICE) })
    await repositoryOf(client, guarded, 'app').put(BLOB, () => pieces(BYTES))
    assert.deepEqual(notes.lines, [`${guarded.host}/app ${BLOB.digest}`])
  })

  it('are those of layers', async () => {
    const config = { ...BLOB, mediaType: MEDIA_TYPES.ociConfig }
    registry.addBlob('app', BYTES)
    await use('app', (repository) => repository.has(config))
    assert.deepEqual(notes.lines, [])
    remember('other')
    assert.equal(await use('new', (repository) => repository.obtain(config)), undefined)
    assert.deepEqual(registry.log.slice(-1), [`HEAD /v2/new/blobs/${BLOB.digest}`])
  })
})
