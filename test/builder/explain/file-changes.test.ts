import assert from 'node:assert/strict'
import {
  chmodSync,
  createReadStream,
  linkSync,
  mkdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { compress } from '#builder/layer'
import { type LayerId, openStore, type Store } from '#cache'
import { asDiffId, collect, digestOf, MEDIA_TYPES, uncompressedDigest } from '#core'
import { fileChanges } from '../../../builder/explain/files/file-changes.ts'
import { openListings } from '../../../builder/explain/files/layer-listing.ts'
import { run, type TemporaryDirectory, temporaryDirectory } from '../../support/peers/index.ts'

const OWN = { mode: false, owner: false }

describe('files in which layers differ', () => {
  let directory: TemporaryDirectory
  let store: Store
  beforeEach(() => {
    directory = temporaryDirectory('file-changes')
    store = openStore(directory.file('store'))
  })
  afterEach(async () => {
    await store[Symbol.asyncDispose]()
    directory[Symbol.dispose]()
  })

  /** The same tree in two versions, before and after. */
  function write(folder: string, version: 'before' | 'after'): string {
    const isAfter = version === 'after'
    const file = (path: string, text: string, mode = 0o644): void => {
      mkdirSync(join(folder, path, '..'), { recursive: true })
      writeFileSync(join(folder, path), text)
      chmodSync(join(folder, path), mode)
    }
    file('same', 'same')
    file('content', isAfter ? 'B' : 'A')
    file('size', isAfter ? 'longer' : 'long')
    file('mode', 'mode', isAfter ? 0o755 : 0o644)
    file(isAfter ? 'new/deep/name' : 'old/name', 'the same content')
    if (isAfter) file('added/x', 'x')
    else file('removed/x', 'y')
    linkSync(join(folder, 'content'), join(folder, 'linked'))
    symlinkSync(isAfter ? 'b' : 'a', join(folder, 'link'))
    if (isAfter) mkdirSync(join(folder, 'type'))
    else file('type', '')
    file('é ü', isAfter ? '2' : '1')
    return folder
  }

  const CHANGES = [
    'added/x added',
    'content changed content',
    'link changed target a -> b',
    'linked changed content',
    'mode changed mode 0644 -> 0755',
    'new/deep/name renamed old/name',
    'removed/x removed',
    'size changed content',
    'type changed type file -> directory',
    'é ü changed content',
  ]

  async function folderLayer(version: 'before' | 'after'): Promise<LayerId> {
    const temporary = store.temporary()
    const { id } = await store.layers.commitDirectory(write(temporary.path, version))
    return id
  }

  /** Packed by GNU tar, so that nothing of the layer was made by what reads it. */
  async function tarLayer(version: 'before' | 'after', form: 'plain' | 'packed'): Promise<LayerId> {
    const folder = write(directory.file(`${version}-${form}`), version)
    const tar = directory.file(`${version}-${form}.tar`)
    await run('tar', ['-cf', tar, '-C', folder, '--owner=0', '--group=0', '.'])
    const bytes = Buffer.concat(await collectAll(createReadStream(tar)))
    const diffId = asDiffId(digestOf(bytes))
    const { id } = store.layers.register({ diffId, size: statSync(tar).size })
    if (form === 'plain') {
      const digest = uncompressedDigest(diffId)
      await store.blobs.putBytes(MEDIA_TYPES.ociLayer, bytes)
      assert.equal(store.blobs.stat(digest), bytes.length)
    } else {
      const packed = await collect(compress(createReadStream(tar), 'gzip'), 1 << 20)
      store.layers.addCompressed(
        diffId,
        await store.blobs.putBytes(MEDIA_TYPES.ociLayerGzip, packed),
      )
    }
    return id
  }

  async function changesOf(from: LayerId, to: LayerId): Promise<readonly string[]> {
    const [before, after] = await openListings([from, to], store)
    assert.ok(before !== undefined && after !== undefined)
    using _before = before
    using _after = after
    const shown = { shownPath: (path: string) => path, byStep: OWN }
    const { count, listed } = fileChanges(before.files, after.files, shown)
    assert.equal(count, listed.length)
    return listed.map(({ path, change, from: name, details }) => {
      const told = details.map(({ what, from: old, to: now }) =>
        old === undefined ? ` ${what}` : ` ${what} ${old} -> ${now}`,
      )
      return `${path} ${change}${name === undefined ? '' : ` ${name}`}${told.join()}`
    })
  }

  it('are found in folders', async () => {
    assert.deepEqual(
      await changesOf(await folderLayer('before'), await folderLayer('after')),
      CHANGES,
    )
  })

  for (const form of ['plain', 'packed'] as const) {
    it(`are found in ${form} tars`, async () => {
      const [from, to] = [await tarLayer('before', form), await tarLayer('after', form)]
      assert.deepEqual(await changesOf(from, to), CHANGES)
    })

    it(`are found between a folder and a ${form} tar`, async function () {
      if (process.geteuid?.() !== 0) this.skip()
      const [from, to] = [await folderLayer('before'), await tarLayer('after', form)]
      assert.deepEqual(await changesOf(from, to), CHANGES)
    })
  }

  it('are none where both are the same', async () => {
    assert.deepEqual(await changesOf(await folderLayer('before'), await folderLayer('before')), [])
    const tar = await tarLayer('after', 'plain')
    assert.deepEqual(await changesOf(tar, tar), [])
  })

  it('cannot be found in a layer that is gone', async () => {
    const from = await folderLayer('before')
    const to = await tarLayer('after', 'plain')
    const [record] = [store.layers.get(from)]
    assert.ok(record)
    await run('rm', ['-r', store.layers.directory(from)])
    const [before, after] = await openListings([from, to], store)
    assert.equal(before, undefined)
    assert.ok(after !== undefined && after.files.size > 5)
  })

  it('are counted beyond the 200 that are listed, and owners and modes that a step gives are no news', () => {
    const file = { type: 'file', uid: 0, gid: 0, mode: 0o644, size: 1, major: 0, minor: 0 } as const
    const none = { target: undefined, capability: undefined, digest: () => undefined }
    const names = Array.from({ length: 1500 }, (_, index) => `${index}`)
    const listing = (news: object) =>
      new Map(names.map((name) => [name as never, { ...file, ...none, ...news }]))
    const shownPath = (path: string): string => path
    const changed = listing({ uid: 1, mode: 0o600 })
    const all = fileChanges(listing({}), changed, { shownPath, byStep: OWN })
    assert.deepEqual([all.count, all.listed.length], [1500, 200])
    const told = all.listed[0]?.details.map(({ what }) => what)
    assert.deepEqual(told, ['mode', 'owner'])
    const byStep = { mode: true, owner: true }
    assert.equal(fileChanges(listing({}), changed, { shownPath, byStep }).count, 0)
  })
})

async function collectAll(bytes: AsyncIterable<Buffer>): Promise<readonly Buffer[]> {
  const chunks: Buffer[] = []
  for await (const chunk of bytes) chunks.push(chunk)
  return chunks
}
