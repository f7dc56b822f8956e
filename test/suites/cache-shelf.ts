import assert from 'node:assert/strict'
import { type CacheKey, cacheKeyOf } from '#cache'
import {
  asDiffId,
  type Descriptor,
  describeDocument,
  MEDIA_TYPES,
  serializeManifest,
  TsbuildError,
} from '#core'
import type { CredentialStore } from '#registry-client'
import {
  CacheReader,
  type CacheReaderOptions,
} from '../../builder/remote-cache/index/cache-reader.ts'
import { type PublishOptions, publish } from '../../builder/remote-cache/index/publish.ts'
import { RecordSet } from '../../builder/remote-cache/records/record-set.ts'
import type { SharedResult } from '../../builder/remote-cache/records/shared-result.ts'
import type { CacheShelf } from '../../builder/remote-cache/shelf/cache-shelf.ts'

/** A place for caches. */
export interface ShelfPlace extends AsyncDisposable {
  /** The cache of a name, as another process opens it. */
  open(name: string): CacheShelf
  /** Gives what is under the name, or a blob, other bytes. */
  damage(name: string, what: 'index' | Descriptor['digest']): Promise<void>
}

export const sharedKey = (name: string): CacheKey => cacheKeyOf({ shelf: name })

/** Of registries that want none. */
export const NO_CREDENTIALS: CredentialStore = {
  get: async () => undefined,
  set: async () => ({}),
  erase: async () => false,
}

const RECENT = new Date('2026-01-02T03:04:05.678Z')

/** A result whose layer is a blob that holds `text`, which must be on the shelf. */
export function sharedResult(
  name: string,
  blob: Descriptor,
  changed: Partial<SharedResult> = {},
): SharedResult {
  return {
    key: sharedKey(name),
    family: sharedKey(`family of ${name}`),
    inputs: [sharedKey('root')],
    description: `RUN ${name}`,
    createdAt: RECENT,
    preimage: { op: 'exec', name, list: [1, null, 'ü'] },
    usedOn: 20_000,
    layer: { diffId: asDiffId(blob.digest), size: blob.size, presumed: undefined, blobs: [blob] },
    ...changed,
  }
}

/** Puts a blob, as an uncompressed layer. */
export async function putText(shelf: CacheShelf, text: string): Promise<Descriptor> {
  const bytes = Buffer.from(text)
  const blob = describeDocument({ mediaType: MEDIA_TYPES.ociLayer, bytes })
  const open = async function* () {
    yield bytes
  }
  await shelf.putBlob(blob, open, {})
  return blob
}

/** What is known of a reading. */
interface Reading {
  readonly reader: CacheReader
  readonly problems: unknown[]
}

export function readingOf(shelf: CacheShelf, options: Partial<CacheReaderOptions> = {}): Reading {
  const problems: unknown[] = []
  const reader = new CacheReader(shelf, {
    signal: undefined,
    onProblem: (cause) => problems.push(cause),
    report: (read) => read(),
    ...options,
  })
  return { reader, problems }
}

/** Publishes results, each with a link to it. */
export async function publishAll(
  shelf: CacheShelf,
  results: readonly SharedResult[],
  options: Partial<PublishOptions> = {},
): Promise<void> {
  const records = new RecordSet()
  for (const result of results) {
    records.addResult(result)
    records.addLink(sharedKey(`link to ${result.description}`), {
      target: result.key,
      usedOn: result.usedOn,
    })
  }
  const onProblem = (cause: unknown): void => assert.fail(String(cause))
  await publish(shelf, records, { signal: undefined, onProblem, ...options })
}

/** What every shelf of a cache must do. Each implementation's test file calls this once. */
export function cacheShelfSuite(name: string, create: () => Promise<ShelfPlace>): void {
  describe(`cache shelf: ${name}`, () => {
    let place: ShelfPlace
    before(async () => {
      place = await create()
    })
    after(() => place?.[Symbol.asyncDispose]())

    async function found(shelf: CacheShelf, ...names: readonly string[]): Promise<string[]> {
      const { reader, problems } = readingOf(shelf)
      const results = await reader.find(names.map(sharedKey))
      assert.deepEqual(problems, [])
      return [...results.values()].map(({ description }) => description)
    }

    it('has nothing before something was published, and says so', async () => {
      const { reader, problems } = readingOf(place.open('empty'))
      assert.equal((await reader.find([sharedKey('a')])).size, 0)
      assert.equal((await reader.families([sharedKey('a')])).size, 0)
      assert.equal(problems.length, 1)
      assert.ok(problems[0] instanceof TsbuildError && problems[0].code === 'NOT_FOUND')
    })

    it('gives back what was published: results, links, families', async () => {
      const shelf = place.open('back')
      const blob = await putText(shelf, 'back')
      const presumed = { count: 2, first: [{ path: '/a', uid: 1, gid: 2 }] }
      const layer = { diffId: asDiffId(blob.digest), size: 7, presumed, blobs: [blob] as const }
      const one = sharedResult('one', blob)
      const two = sharedResult('two', blob, { layer })
      await publishAll(shelf, [one, two])
      const { reader, problems } = readingOf(place.open('back'))
      const keys = [one.key, two.key, sharedKey('none'), sharedKey('link to RUN two')]
      const results = await reader.find(keys)
      assert.deepEqual(results.get(one.key), one)
      assert.deepEqual(results.get(two.key), two)
      assert.deepEqual(results.get(sharedKey('link to RUN two')), two)
      assert.equal(results.size, 3)
      const families = await reader.families([one.family, sharedKey('none')])
      assert.deepEqual(families, new Set([one.family]))
      assert.deepEqual(problems, [])
      assert.equal(await shelf.source.has(blob), true)
      assert.equal(await shelf.source.has({ ...blob, size: blob.size + 1 }), false)
    })

    it('keeps what several writers publish at the same time', async () => {
      const writers = Array.from({ length: 8 }, (_, index) => `writer ${index}`)
      await Promise.all(
        writers.map(async (writer) => {
          const shelf = place.open('several')
          const blob = await putText(shelf, writer)
          await publishAll(shelf, [sharedResult(writer, blob), sharedResult(`${writer} too`, blob)])
        }),
      )
      const names = writers.flatMap((writer) => [writer, `${writer} too`])
      assert.equal((await found(place.open('several'), ...names)).length, 16)
      // The next writer merges what is left, and a reader finds the same.
      const shelf = place.open('several')
      await publishAll(shelf, [sharedResult('last', await putText(shelf, 'last'))])
      assert.equal((await found(place.open('several'), ...names, 'last')).length, 17)
    })

    it('replaces a result by a newer one, and joins blobs of one layer', async () => {
      const shelf = place.open('newer')
      const [a, b] = [await putText(shelf, 'a'), await putText(shelf, 'b')]
      await publishAll(shelf, [sharedResult('step', a)])
      const later = new Date(RECENT.getTime() + 1)
      await publishAll(shelf, [sharedResult('step', b, { createdAt: later })])
      await publishAll(shelf, [sharedResult('step', a)])
      const packed = { ...b, mediaType: MEDIA_TYPES.ociLayerGzip, digest: a.digest, size: a.size }
      const { layer } = sharedResult('step', b)
      const joined = { createdAt: later, layer: { ...layer, blobs: [packed] as const } }
      await publishAll(shelf, [sharedResult('step', b, joined)])
      const { reader } = readingOf(place.open('newer'))
      const result = (await reader.find([sharedKey('step')])).get(sharedKey('step'))
      assert.deepEqual(result?.createdAt, later)
      assert.deepEqual(result?.layer.blobs, [packed, b])
    })

    it('writes nothing when it has everything', async () => {
      const shelf = place.open('same')
      const results = [sharedResult('same', await putText(shelf, 'same'))]
      await publishAll(shelf, results)
      const { descriptor } = await shelf.readIndex({})
      const listed = await entriesOf(shelf)
      await publishAll(place.open('same'), results)
      assert.deepEqual((await shelf.readIndex({})).descriptor, descriptor)
      assert.deepEqual(await entriesOf(shelf), listed)
    })

    it('costs a lookup no more after 60 exports than after a few', async () => {
      const shelf = place.open('many')
      const blob = await putText(shelf, 'many')
      const costs: Cost[] = []
      for (let count = 1; count <= 60; count++) {
        // A project of ten steps, each of which changes now and then.
        const results = Array.from({ length: 10 }, (_, step) =>
          sharedResult(`${step}.${count % (step + 2)}`, blob),
        )
        await publishAll(place.open('many'), results, { grace: 0 })
        if (count === 20 || count === 60)
          costs.push(await costOf(place.open('many'), ['0.0', '9.1']))
      }
      const [few, many] = costs
      assert.ok(few !== undefined && many !== undefined && few.requests >= 2)
      assert.ok(many.requests <= few.requests, `${many.requests} requests, ${few.requests} before`)
      assert.ok(many.bytes < few.bytes * 1.3, `${many.bytes} bytes, ${few.bytes} before`)
      assert.ok((await entriesOf(shelf)).length <= 2)
    })

    it('is read in parts when it is large, and stays within bounds', async () => {
      const shelf = place.open('large')
      const blob = await putText(shelf, 'large')
      const results = Array.from({ length: 3000 }, (_, index) =>
        sharedResult(`step ${index}`, blob, { usedOn: 10_000 + index }),
      )
      for (let at = 0; at < results.length; at += 1000) {
        await publishAll(place.open('large'), results.slice(at, at + 1000), { grace: 0 })
      }
      const one = await costOf(place.open('large'), ['step 2999'])
      assert.ok(one.bytes < 300_000, `${one.bytes} bytes`)
      const { reader, problems } = readingOf(place.open('large'))
      const all = await reader.find(results.map(({ key }) => key))
      assert.ok(all.size > 1500 && all.size <= 2048, `${all.size} results`)
      // What was used last is kept.
      assert.ok(all.has(sharedKey('step 2999')) && !all.has(sharedKey('step 0')))
      assert.deepEqual(problems, [])
    })

    it('is empty where it is damaged, says so, and is mended by the next writer', async () => {
      const shelf = place.open('damaged')
      const blob = await putText(shelf, 'damaged')
      const results = [sharedResult('before', blob)]
      await publishAll(shelf, results)
      const { records } = parsedIndex((await shelf.readIndex({})).bytes)
      for (const what of [records, 'index'] as const) {
        await place.damage('damaged', what)
        const { reader, problems } = readingOf(place.open('damaged'))
        assert.equal((await reader.find([sharedKey('before')])).size, 0)
        assert.equal(problems.length, 1, `${problems}`)
        const onProblem = (): void => undefined
        const after = [sharedResult(`after ${what}`, blob)]
        await publishAll(place.open('damaged'), after, { onProblem })
        const mended = await readingOf(place.open('damaged')).reader.find(
          after.map(({ key }) => key),
        )
        assert.equal(mended.size, 1, `after ${what}`)
      }
    })

    it('is neither read from an image nor written over one', async () => {
      const shelf = place.open('image')
      const config = await putText(shelf, '{}')
      const bytes = serializeManifest({
        mediaType: MEDIA_TYPES.ociManifest,
        config: { ...config, mediaType: MEDIA_TYPES.ociConfig },
        layers: [config],
      })
      await shelf.putIndex({ mediaType: MEDIA_TYPES.ociManifest, bytes }, {})
      const { reader, problems } = readingOf(place.open('image'))
      assert.equal((await reader.find([sharedKey('a')])).size, 0)
      assert.ok(problems[0] instanceof TsbuildError && problems[0].code === 'UNSUPPORTED')
      const results = [sharedResult('a', config)]
      await assert.rejects(publishAll(shelf, results), { code: 'UNSUPPORTED' })
      assert.deepEqual((await shelf.readIndex({})).bytes, bytes)
    })
  })
}

function parsedIndex(bytes: Buffer): { readonly records: Descriptor['digest'] } {
  const { manifests } = JSON.parse(bytes.toString())
  return { records: manifests[0].annotations['tsbuild.cache.records'] }
}

async function entriesOf({ writers }: CacheShelf): Promise<readonly string[]> {
  return writers.kind === 'entries' ? await writers.list('', {}) : []
}

interface Cost {
  readonly requests: number
  readonly bytes: number
}

/** What a lookup asks a shelf for. */
export async function costOf(shelf: CacheShelf, names: readonly string[]): Promise<Cost> {
  let requests = 0
  let bytes = 0
  const count = async <T>(answer: Promise<T>, sizeOf: (value: T) => number): Promise<T> => {
    requests += 1
    const value = await answer
    bytes += sizeOf(value)
    return value
  }
  const { writers } = shelf
  const counted: CacheShelf = {
    ...shelf,
    readIndex: (options) => count(shelf.readIndex(options), (one) => one.bytes.length),
    source: {
      has: (blob, options) => count(shelf.source.has(blob, options), () => 0),
      open: (blob, options) => count(shelf.source.open(blob, options), () => blob.size),
    },
    writers:
      writers.kind !== 'entries'
        ? writers
        : {
            ...writers,
            list: (after, options) =>
              count(writers.list(after, options), (one) => one.join().length),
            read: (name, options) => count(writers.read(name, options), (one) => one.bytes.length),
          },
  }
  const { reader, problems } = readingOf(counted)
  const results = await reader.find(names.map(sharedKey))
  assert.equal(results.size, names.length)
  assert.deepEqual(problems, [])
  return { requests, bytes }
}
