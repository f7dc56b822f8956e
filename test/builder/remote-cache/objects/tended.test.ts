import assert from 'node:assert/strict'
import { existsSync, rmSync, statSync, utimesSync } from 'node:fs'
import {
  publishAll,
  putText,
  readingOf,
  sharedKey,
  sharedResult,
} from '../../../suites/cache-shelf.ts'
import { type S3Server, startS3Server } from '../../../support/object-stores/index.ts'
import { openPlace, s3Place } from '../object-places.ts'

const HOUR = 3_600_000

describe('objects of a cache in a bucket', () => {
  let server: S3Server
  beforeEach(async () => {
    server = await startS3Server()
  })
  afterEach(() => server?.[Symbol.asyncDispose]())

  const blobFile = (digest: string): string =>
    server.file(`tsbuild/blobs/${digest.replace(':', '-')}`)
  const age = (file: string, hours: number): void => {
    const time = (Date.now() - hours * HOUR) / 1000
    utimesSync(file, time, time)
  }
  const ageOf = (file: string): number => (Date.now() - statSync(file).mtimeMs) / HOUR
  const open = () => openPlace(s3Place(server, { name: 'one' }))

  /** So that the next writer removes what is old. */
  const nextDay = (): void => rmSync(server.file('tsbuild/tended'), { force: true })

  it('are removed when no index names them for three days, by the first writer of a day', async () => {
    const shelf = open()
    const [named, other, fresh, foreign] = await Promise.all(
      ['named', 'other', 'fresh', 'foreign'].map((text) => putText(shelf, text)),
    )
    assert.ok(named && other && fresh && foreign)
    const second = openPlace(s3Place(server, { name: 'two' }))
    await publishAll(second, [sharedResult('foreign', foreign)])
    for (const { digest } of [named, other, foreign]) age(blobFile(digest), 73)
    // It was this day's turn already.
    await publishAll(shelf, [sharedResult('named', named)])
    assert.ok(existsSync(blobFile(other.digest)))
    nextDay()
    await publishAll(shelf, [sharedResult('next', named)])
    assert.ok(!existsSync(blobFile(other.digest)))
    for (const { digest } of [named, fresh, foreign]) assert.ok(existsSync(blobFile(digest)))
    const { reader, problems } = readingOf(open())
    assert.equal((await reader.find([sharedKey('named'), sharedKey('next')])).size, 2)
    assert.deepEqual(problems, [])
  })

  it('stay where an index cannot be read, and where others may have blobs', async () => {
    const shelf = open()
    const blob = await putText(shelf, 'old')
    await publishAll(shelf, [sharedResult('one', await putText(shelf, 'new'))])
    age(blobFile(blob.digest), 100)
    const { manifests } = JSON.parse(String((await shelf.readIndex({})).bytes))
    rmSync(blobFile(manifests[0].digest))
    nextDay()
    const second = openPlace(s3Place(server, { name: 'two' }))
    await publishAll(second, [sharedResult('two', await putText(shelf, 'new'))])
    assert.ok(existsSync(blobFile(blob.digest)))
    const shared = openPlace(s3Place(server, { blobsPrefix: 'shared/' }))
    const theirs = await putText(shared, 'theirs')
    const file = server.file(`shared/${theirs.digest.replace(':', '-')}`)
    age(file, 100)
    nextDay()
    await publishAll(shared, [sharedResult('three', await putText(shared, 'ours'))])
    assert.ok(existsSync(file))
  })

  it('are refreshed when a writer uses them again, and not when they are only read', async () => {
    const shelf = open()
    const blob = await putText(shelf, 'used')
    age(blobFile(blob.digest), 25)
    assert.ok(await openPlace(s3Place(server), false).source.has(blob))
    assert.ok(ageOf(blobFile(blob.digest)) > 24)
    assert.ok(await openPlace(s3Place(server, { touchRefresh: 30 * HOUR })).source.has(blob))
    assert.ok(ageOf(blobFile(blob.digest)) > 24)
    await putText(open(), 'used')
    assert.ok(ageOf(blobFile(blob.digest)) < 1)
    const { reader } = readingOf(open())
    await publishAll(open(), [sharedResult('used', blob)])
    assert.equal((await reader.find([sharedKey('used')])).size, 1)
  })

  it('are refreshed where an index names them, and the index with them', async () => {
    const shelf = open()
    const results = [sharedResult('kept', await putText(shelf, 'kept'))]
    await publishAll(shelf, results)
    const index = server.file('tsbuild/indexes/one.tsbuild.json')
    const { manifests } = JSON.parse(String((await shelf.readIndex({})).bytes))
    const files = [index, blobFile(manifests[0].digest)]
    for (const file of files) age(file, 30)
    nextDay()
    await publishAll(open(), results)
    for (const file of files) assert.ok(ageOf(file) < 1, file)
  })
})
