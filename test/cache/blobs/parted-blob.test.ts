import assert from 'node:assert/strict'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { Collector, completeParts, openStore, type Store } from '#cache'
import { collect, type Digest, digestOf, hexOf, MEDIA_TYPES } from '#core'
import type { BlobPart } from '../../../cache/blobs/parted-blob.ts'
import { descriptorOf } from '../../suites/blob-store.ts'
import { seededRandom } from '../../support/random/index.ts'
import { newRoot, pretendReboot, removeRoots, withStore } from '../support.ts'

const LENGTH = 700_000
const ALL = { all: true, matches: () => true } as const

/** Bytes, and how they are made of earlier ones. */
interface Sample {
  readonly earlier: Buffer
  readonly pieces: Buffer
  readonly parts: readonly BlobPart[]
  readonly bytes: Buffer
}

/** Ranges of earlier bytes and of pieces by turns; some are empty, some as long as many reads. */
function sampleOf(seed: number): Sample {
  const seeded = seededRandom(seed)
  const random = (limit: number): number => Math.floor(seeded() * limit)
  const earlier = Buffer.alloc(LENGTH)
  for (let at = 0; at < LENGTH; at += 4) earlier.writeUInt32LE(random(2 ** 32), at)
  const pieces = Buffer.from(Array.from({ length: 5000 }, () => random(256)))
  const parts: BlobPart[] = []
  let taken = 0
  for (let position = 0; position < LENGTH; ) {
    const size = random(2 * 256 * 1024)
    parts.push({ from: 'earlier', position, size: Math.min(size, LENGTH - position) })
    const piece = Math.min(random(900), pieces.length - taken)
    parts.push({ from: 'pieces', position: taken, size: piece })
    taken += piece
    position += size + random(1000)
  }
  const sources = { earlier, pieces }
  const ranges = parts.map(({ from, position, size }) =>
    sources[from].subarray(position, position + size),
  )
  return { earlier, pieces, parts, bytes: Buffer.concat(ranges) }
}

/** Stores a sample in parts. @returns its descriptor, and that of the earlier blob */
async function put(store: Store, { earlier, pieces, parts, bytes }: Sample) {
  const from = await store.blobs.putBytes(MEDIA_TYPES.ociLayer, earlier)
  await using temporary = store.temporary()
  const file = join(temporary.path, 'parts')
  writeFileSync(file, pieces)
  completeParts(file, { earlier: from.digest, parts })
  const blob = { ...descriptorOf(bytes), mediaType: MEDIA_TYPES.ociLayer }
  store.blobs.adoptParts(file, blob.digest)
  return { blob, from }
}

/** An image whose only layer is `layer`. */
async function nameImage(store: Store, layer: { digest: Digest; size: number }, name: string) {
  const config = await store.blobs.putBytes(
    MEDIA_TYPES.ociConfig,
    Buffer.from(JSON.stringify({ rootfs: { type: 'layers', diff_ids: [layer.digest] } })),
  )
  const layers = [{ ...layer, mediaType: MEDIA_TYPES.ociLayer }]
  const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config, layers }
  const bytes = Buffer.from(JSON.stringify(manifest))
  await store.images.set(name, await store.blobs.putBytes(MEDIA_TYPES.ociManifest, bytes))
}

function flipBit(path: string, at: number): void {
  const bytes = readFileSync(path)
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
  writeFileSync(path, bytes, { mode: 0o600 })
}

/** Where a file of parts says how long the blob is: the third number of its trailer. */
function lengthAt(parts: string): number {
  const bytes = readFileSync(parts)
  const trailer = bytes.subarray(-192).toString('latin1')
  return bytes.length - 192 + (/^\d+ \d+ /.exec(trailer)?.[0].length ?? 0) + 5
}

const partsIn = (root: string): readonly string[] =>
  existsSync(join(root, 'parts')) ? readdirSync(join(root, 'parts')) : []

describe('a blob in parts', () => {
  afterEach(removeRoots)

  it('is read as if it was one file, of whatever parts', async () => {
    for (let seed = 0; seed < 4; seed++) {
      await withStore(newRoot(), async (store) => {
        const sample = sampleOf(seed)
        const { blob, from } = await put(store, sample)
        assert.equal(store.blobs.stat(blob.digest), sample.bytes.length)
        assert.equal(await store.blobs.has(blob), true)
        assert.equal(store.blobs.earlierOf(blob.digest), from.digest)
        assert.equal(store.blobs.findFile(blob.digest), undefined)
        const read = await collect(await store.blobs.open(blob), blob.size)
        assert.ok(sample.bytes.equals(read), `seed ${seed}`)
        const wrong = { ...blob, size: blob.size - 1 }
        const opening = async () => collect(await store.blobs.open(wrong), blob.size)
        await assert.rejects(opening, { code: 'SIZE_MISMATCH' })
        assert.deepEqual(partsIn(store.root), [hexOf(blob.digest)])
      })
    }
  })

  it('takes the space of what the earlier one has not', async () => {
    await withStore(newRoot(), async (store) => {
      const { blob } = await put(store, sampleOf(1))
      const { size } = statSync(join(store.root, 'parts', hexOf(blob.digest)))
      assert.ok(size < 5000 + 2000 && blob.size > 500_000, `${size} of ${blob.size} bytes`)
    })
  })

  it('becomes one file for who needs one, while others read it', async () => {
    const root = newRoot()
    await withStore(root, async (store) => {
      const sample = sampleOf(2)
      const { blob } = await put(store, sample)
      const reading = (await store.blobs.open(blob))[Symbol.asyncIterator]()
      const first = await reading.next()
      const paths = await Promise.all([1, 2].map(() => store.blobs.file(blob.digest)))
      assert.deepEqual(paths, [store.blobs.path(blob.digest), store.blobs.path(blob.digest)])
      assert.ok(sample.bytes.equals(readFileSync(store.blobs.path(blob.digest))))
      assert.equal(statSync(store.blobs.path(blob.digest)).mode & 0o777, 0o444)
      assert.deepEqual(partsIn(root), [])
      const rest: Uint8Array[] = first.done === true ? [] : [first.value]
      for (let next = await reading.next(); next.done !== true; next = await reading.next()) {
        rest.push(next.value)
      }
      assert.ok(sample.bytes.equals(Buffer.concat(rest)))
      assert.equal(await store.blobs.has(blob), true)
      // What is whole is not kept in parts again.
      await put(store, sample)
      assert.deepEqual(partsIn(root), [])
    })
  })

  const DAMAGES: Readonly<Record<string, (parts: string, earlier: string) => void>> = {
    'a bit of its pieces': (parts) => flipBit(parts, 0),
    'a bit of its recipe': (parts) => flipBit(parts, 5010),
    'a bit of a number in its trailer': (parts) => flipBit(parts, statSync(parts).size - 190),
    'a bit of its size': (parts) => flipBit(parts, lengthAt(parts)),
    'a bit of the digest of the earlier one': (parts) => flipBit(parts, statSync(parts).size - 150),
    'its end': (parts) => truncateSync(parts, statSync(parts).size - 1),
    'all of it': (parts) => truncateSync(parts, 0),
    'a file in its place': (parts) => {
      rmSync(parts)
      mkdirSync(parts)
    },
    'a bit of the earlier one': (_, earlier) => flipBit(earlier, LENGTH >> 1),
    'the end of the earlier one': (_, earlier) => truncateSync(earlier, LENGTH - 5),
    'the earlier one': (_, earlier) => rmSync(earlier),
  }

  for (const [what, harm] of Object.entries(DAMAGES)) {
    it(`without ${what} is never read as something else, and can be stored again`, async () => {
      const root = newRoot()
      const sample = sampleOf(3)
      await withStore(root, async (store) => {
        const { blob, from } = await put(store, sample)
        await store.sync()
        harm(join(root, 'parts', hexOf(blob.digest)), store.blobs.path(from.digest))
        const isThere = await store.blobs.has(blob)
        const reading = async () => collect(await store.blobs.open(blob), blob.size)
        const codes = isThere ? ['DIGEST_MISMATCH'] : ['NOT_FOUND', 'DIGEST_MISMATCH']
        await assert.rejects(reading, ({ code }: { code: string }) => codes.includes(code))
        assert.equal(store.blobs.stat(blob.digest), undefined)
        const isEarlier = what.includes('earlier one') && !what.includes('digest')
        assert.equal(store.blobs.stat(from.digest), isEarlier ? undefined : LENGTH)
        await put(store, sample)
        assert.ok(sample.bytes.equals(await collect(await store.blobs.open(blob), blob.size)))
      })
    })
  }

  it('is on the disk, with the earlier one, before a name is', async () => {
    const root = newRoot()
    await withStore(root, async (store) => {
      const { blob, from } = await put(store, sampleOf(4))
      const modes = () =>
        [join(root, 'parts', hexOf(blob.digest)), store.blobs.path(from.digest)].map(
          (path) => statSync(path).mode & 0o777,
        )
      assert.deepEqual(modes(), [0o644, 0o644])
      await nameImage(store, blob, 'localhost/parts:1')
      assert.deepEqual(modes(), [0o444, 0o444])
    })
    // Another process has only met it.
    await withStore(root, async (store) => {
      const { blob, from } = await put(store, sampleOf(5))
      await withStore(root, async (other) => {
        assert.equal(await other.blobs.has(blob), true)
        await nameImage(other, blob, 'localhost/parts:2')
      })
      for (const path of [join(root, 'parts', hexOf(blob.digest)), store.blobs.path(from.digest)]) {
        assert.equal(statSync(path).mode & 0o777, 0o444)
      }
      await store.sync()
    })
  })

  for (const [what, harm, isKept] of [
    ['as it was', () => undefined, true],
    ['with a bit less', (parts: string) => flipBit(parts, 5), false],
    ['without the earlier one', (_: string, earlier: string) => rmSync(earlier), false],
    ['with another earlier one', (_: string, earlier: string) => flipBit(earlier, 5), false],
  ] as const) {
    it(`that nobody synced is looked over after a reboot: ${what}`, async () => {
      const root = newRoot()
      const sample = sampleOf(6)
      const { blob, from } = await withStore(root, (store) => put(store, sample))
      harm(join(root, 'parts', hexOf(blob.digest)), join(root, 'blobs/sha256', hexOf(from.digest)))
      pretendReboot(root)
      await withStore(root, async (store) => {
        assert.equal(await store.blobs.has(blob), isKept)
        assert.deepEqual(partsIn(root), isKept ? [hexOf(blob.digest)] : [])
      })
    })
  }

  it('holds the earlier one for an image, for a process, and for a layer', async () => {
    const root = newRoot()
    const { blob, from } = await withStore(root, (store) => put(store, sampleOf(7)))
    const isThere = () => [
      partsIn(root).includes(hexOf(blob.digest)),
      existsSync(join(root, 'blobs/sha256', hexOf(from.digest))),
    ]
    const prune = () => withStore(root, (store) => new Collector(store).remove(ALL))
    await withStore(root, (store) => nameImage(store, blob, 'localhost/parts:1'))
    await prune()
    assert.deepEqual(isThere(), [true, true])
    await withStore(root, (store) => store.images.remove('localhost/parts:1'))
    await withStore(root, async (store) => {
      assert.equal(store.blobs.stat(blob.digest), blob.size)
      await prune()
      assert.deepEqual(isThere(), [true, true])
    })
    // Only the earlier one is asked for.
    const diffId = blob.digest as never
    await withStore(root, (store) => store.layers.register({ diffId, size: blob.size }))
    const matches = ({ id }: { id: string }) => id === hexOf(from.digest)
    const alone = await withStore(root, (store) =>
      new Collector(store).remove({ all: true, matches }),
    )
    assert.deepEqual([alone, isThere()], [[], [true, true]])
    const gone = await prune()
    assert.deepEqual(isThere(), [false, false])
    // What needs it goes first.
    const ids = gone.map(({ id }) => id)
    assert.ok(ids.indexOf(hexOf(blob.digest)) < ids.indexOf(hexOf(from.digest)), ids.join())
  })

  it('leaves parts that are removed where a process was killed that made one file of them', async () => {
    const root = newRoot()
    await withStore(root, async (store) => {
      const { blob } = await put(store, sampleOf(8))
      const parts = join(root, 'parts', hexOf(blob.digest))
      const bytes = readFileSync(parts)
      await store.blobs.file(blob.digest)
      writeFileSync(parts, bytes, { mode: 0o444 })
      await nameImage(store, blob, 'localhost/whole:1')
    })
    const gone = await withStore(root, (store) =>
      new Collector(store).remove({ ...ALL, all: false }),
    )
    assert.deepEqual(partsIn(root), [])
    assert.ok(gone.some(({ description }) => description === 'parts of a blob that is whole'))
  })

  it('is counted as it is on the disk', async () => {
    const root = newRoot()
    const { blob } = await withStore(root, (store) => put(store, sampleOf(9)))
    const items = await withStore(root, (store) => new Collector(store).items())
    const [item] = items.filter(({ id }) => id === hexOf(blob.digest))
    const { blocks } = lstatSync(join(root, 'parts', hexOf(blob.digest)))
    assert.equal(item?.bytes, blocks * 512)
  })

  it('is found by a process that opened the store before there were any', async () => {
    const root = newRoot()
    const store = openStore(root)
    await using _ = store
    assert.equal(existsSync(join(root, 'parts')), false)
    const sample = sampleOf(10)
    const { blob } = await withStore(root, (other) => put(other, sample))
    assert.equal(basename(store.blobs.path(blob.digest)), hexOf(blob.digest))
    assert.ok(sample.bytes.equals(await collect(await store.blobs.open(blob), blob.size)))
    assert.equal(digestOf(sample.bytes), blob.digest)
  })
})
