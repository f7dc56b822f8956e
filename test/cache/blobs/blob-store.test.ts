import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { openStore, type Store } from '#cache'
import { collect, type Descriptor, digestOf } from '#core'
import { BlobDraft } from '../../../cache/blobs/blob-draft.ts'
import { blobStoreSuite, descriptorOf, inPieces } from '../../suites/blob-store.ts'
import { newRoot, pretendReboot, removeRoots, withStore } from '../support.ts'

describe('cache blobs', () => {
  const open: Store[] = []

  afterEach(async () => {
    for (const store of open.splice(0)) await store[Symbol.asyncDispose]()
    removeRoots()
  })

  function newStore(root: string = newRoot()): Store {
    const store = openStore(root)
    open.push(store)
    return store
  }

  blobStoreSuite('local store', async () => newStore().blobs)

  it('leaves no temporary file behind, whether a blob is taken or refused', async () => {
    const store = newStore()
    const blob = descriptorOf(Buffer.from('abc'))
    await assert.rejects(store.blobs.put(blob, inPieces(Buffer.from('abx'))))
    await store.blobs.put(blob, inPieces(Buffer.from('abc')))
    const files = readdirSync(join(store.root, 'tmp'), { recursive: true, withFileTypes: true })
    assert.deepEqual(
      files.filter((file) => file.isFile() && !/^pins$|\.lock$/.test(file.name)),
      [],
    )
    assert.deepEqual(readdirSync(join(store.root, 'blobs', 'sha256')).length, 1)
  })

  it('stores documents, and adopts files of a temporary folder by renaming', async () => {
    const store = newStore()
    const stored = await store.blobs.putBytes('text/plain', Buffer.from('hello'))
    assert.deepEqual(stored, { ...descriptorOf(Buffer.from('hello')), mediaType: 'text/plain' })
    assert.equal(readFileSync(store.blobs.path(stored.digest), 'utf8'), 'hello')
    await using folder = store.temporary()
    const file = join(folder.path, 'layer.tar')
    writeFileSync(file, 'a tar')
    const inode = statSync(file).ino
    const digest = digestOf('a tar')
    await assert.rejects(store.blobs.adopt(file, digest, 6), { code: 'SIZE_MISMATCH' })
    await store.blobs.adopt(file, digest, 5)
    assert.equal(statSync(store.blobs.path(digest)).ino, inode)
    assert.equal(store.blobs.stat(digest), 5)
    store.blobs.delete(digest)
    store.blobs.delete(digest)
    assert.equal(store.blobs.stat(digest), undefined)
  })

  const damages: readonly [string, (path: string) => void][] = [
    ['a flipped bit', (path) => flipBit(path, 5000)],
    ['a cut', (path) => truncateSync(path, 4096)],
    ['a cut to nothing', (path) => truncateSync(path, 0)],
    ['a folder in its place', (path) => replace(path, () => mkdirSync(path))],
    ['a link in its place', (path) => replace(path, () => symlinkSync('/etc/passwd', path))],
  ]
  for (const [what, damage] of damages) {
    it(`never gives out a blob with ${what}, sets it aside and takes it anew`, async () => {
      const store = newStore()
      const bytes = randomBytes(700_000)
      const blob = descriptorOf(bytes)
      await store.blobs.put(blob, inPieces(bytes))
      damage(store.blobs.path(blob.digest))
      await assert.rejects(read(store, blob), (error: { code: string }) =>
        ['DIGEST_MISMATCH', 'NOT_FOUND'].includes(error.code),
      )
      assert.equal(readdirSync(join(store.root, 'corrupt')).length, 1)
      assert.equal(await store.blobs.has(blob), false)
      await store.blobs.put(blob, inPieces(bytes))
      assert.equal((await read(store, blob)).equals(bytes), true)
    })
  }

  it('verifies what it receives, also where it has the blob, which stays as it is', async () => {
    const store = newStore()
    const bytes = randomBytes(10_000)
    const blob = descriptorOf(bytes)
    await store.blobs.put(blob, inPieces(bytes))
    await store.blobs.sync()
    const { ino } = statSync(store.blobs.path(blob.digest))
    await store.blobs.receive(blob, inPieces(bytes))
    const wrong = inPieces(Buffer.alloc(bytes.length))
    await assert.rejects(store.blobs.receive(blob, wrong), { code: 'DIGEST_MISMATCH' })
    const after = statSync(store.blobs.path(blob.digest))
    assert.deepEqual([after.ino, after.mode & 0o777], [ino, 0o444])
  })

  it('replaces a cut blob that is put again before it is opened', async () => {
    const store = newStore()
    const bytes = randomBytes(5000)
    const blob = descriptorOf(bytes)
    await store.blobs.put(blob, inPieces(bytes))
    chmodSync(store.blobs.path(blob.digest), 0o644)
    truncateSync(store.blobs.path(blob.digest), 10)
    assert.equal(await store.blobs.has(blob), false)
    await store.blobs.put(blob, inPieces(bytes))
    assert.equal((await read(store, blob)).equals(bytes), true)
  })

  it('does not return before all is safe', async () => {
    await withStore(newRoot(), async (store) => {
      const all = Array.from({ length: 50 }, (_, index) => Buffer.alloc(100_000, index))
      for (const bytes of all) await store.blobs.put(descriptorOf(bytes), inPieces(bytes))
      const modes = (): number[] =>
        all.map((bytes) => statSync(store.blobs.path(descriptorOf(bytes).digest)).mode & 0o777)
      const sealed = all.map(() => 0o444)
      await Promise.all(
        [1, 2].map(() => store.blobs.sync().then(() => assert.deepEqual(modes(), sealed))),
      )
    })
  })

  it('removes no blob for want of a descriptor', async () => {
    await withStore(newRoot(), async (store) => {
      const blob = descriptorOf(Buffer.from('text'))
      await store.blobs.put(blob, inPieces(Buffer.from('text')))
      const path = store.blobs.path(blob.digest)
      // It cannot be opened: a link to itself.
      rmSync(path)
      symlinkSync(path, path)
      await assert.rejects(store.blobs.sync(), { code: 'STORE_INVALID' })
      assert.ok(lstatSync(path).isSymbolicLink())
      rmSync(path)
    })
  })

  it('after a reboot keeps synced blobs unread, and of the others those that are whole', async () => {
    const root = newRoot()
    const [synced, whole, torn] = [randomBytes(9000), randomBytes(9001), randomBytes(9002)]
    await withStore(root, async (store) => {
      await store.blobs.put(descriptorOf(synced), inPieces(synced))
      await store.sync()
      await store.blobs.put(descriptorOf(whole), inPieces(whole))
      await store.blobs.put(descriptorOf(torn), inPieces(torn))
      truncateSync(store.blobs.path(descriptorOf(torn).digest), 4096)
    })
    pretendReboot(root)
    await withStore(root, async (store) => {
      assert.equal(await store.blobs.has(descriptorOf(synced)), true)
      assert.equal(await store.blobs.has(descriptorOf(whole)), true)
      assert.equal(existsSync(store.blobs.path(descriptorOf(torn).digest)), false)
    })
  })

  it('after a reboot has no spare blobs, unless they were used when they were on the disk', async () => {
    const root = newRoot()
    const blobs = [randomBytes(9000), randomBytes(9001), randomBytes(9002)]
    const [unused, used, needed] = blobs.map(descriptorOf)
    await withStore(root, async (store) => {
      for (const bytes of blobs) {
        const draft = store.blobs.draft()
        for await (const _ of draft.copying(inPieces(bytes)));
        assert.equal(store.blobs.keep(draft.file?.path ?? '', descriptorOf(bytes)), true)
      }
      const { stored } = store
      assert.equal(stored, 27_003, 'they count')
      assert.ok(unused && used && needed)
      store.blobs.statSpare(used.digest)
      await store.blobs.put(needed, inPieces(Buffer.of()))
      await store.sync()
      const isSealed = ({ digest }: Descriptor): boolean =>
        (lstatSync(store.blobs.path(digest)).mode & 0o777) === 0o444
      assert.deepEqual([unused, used, needed].map(isSealed), [false, false, true])
    })
    pretendReboot(root)
    await withStore(root, (store) => {
      assert.deepEqual(
        [unused, used, needed].map((one) => one && store.blobs.stat(one.digest)),
        [undefined, undefined, 9002],
      )
    })
  })

  it('passes on what a full disk does not take, and fails with a disk that fails', async () => {
    const failing = (code: string) => () => {
      throw Object.assign(new Error(code), { code })
    }
    const full = new BlobDraft(failing('ENOSPC'))
    const passed: Uint8Array[] = []
    for await (const chunk of full.copying(inPieces(Buffer.from('abc')))) passed.push(chunk)
    assert.equal(String(Buffer.concat(passed)), 'abc')
    assert.equal(full.file, undefined)
    const broken = new BlobDraft(failing('EIO'))
    await assert.rejects(
      async () => {
        for await (const _ of broken.copying(inPieces(Buffer.from('abc'))));
      },
      { code: 'IO_FAILED' },
    )
  })
})

async function read(store: Store, blob: Descriptor): Promise<Buffer> {
  return await collect(await store.blobs.open(blob), blob.size)
}

function flipBit(path: string, at: number): void {
  const bytes = readFileSync(path)
  bytes[at] = (bytes[at] ?? 0) ^ 0x10
  replace(path, () => writeFileSync(path, bytes))
}

function replace(path: string, make: () => void): void {
  rmSync(path)
  make()
}
