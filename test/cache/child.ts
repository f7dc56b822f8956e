/** What the tests let other processes do with a store: `child.js COMMAND ROOT [ARGUMENT]`. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import {
  appendFileSync,
  mkdirSync,
  openSync,
  readdirSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import koffi from 'koffi'
import { Collector, completeParts, type LayerId, layerId, openStore, type Store } from '#cache'
import {
  collect,
  type Descriptor,
  type Digest,
  digestOf,
  errnoOf,
  isJsonObject,
  MEDIA_TYPES,
  parseDigest,
  TsbuildError,
} from '#core'
import { descriptorOf, inPieces } from '../suites/blob-store.ts'
import { fullMount, keyOf, putStep } from './support.ts'

/** Builds ten steps that all processes share and one step of this process, and names the result. */
async function build(root: string, me: string): Promise<void> {
  await using store = openStore(root)
  for (const name of [...Array(10).keys()].map((step) => `shared ${step}`).concat(`own ${me}`)) {
    if (store.records.find(keyOf(name)) !== undefined) continue
    await using _ = await store.lease(keyOf(name))
    if (store.records.find(keyOf(name)) !== undefined) continue
    appendFileSync(join(root, '..', 'executed'), `${name}\n`)
    await putStep(store, name)
  }
  const manifest = await store.blobs.putBytes(
    MEDIA_TYPES.ociManifest,
    Buffer.from(`{"by":"${me}"}`),
  )
  await store.images.set(`localhost/${me}:1`, manifest)
  await store.images.set('localhost/shared:1', manifest)
  await store.sync()
}

/**
 * Stores things without end, telling what it was promised. Every name, record and layer says what
 * must be there.
 */
async function crash(root: string): Promise<void> {
  const store = openStore(root)
  const tell = (text: string) => {
    // While ext4 is being stopped, fsync(2) may succeed without having written anything: that was no promise.
    writeFileSync(join(root, '..', 'alive'), '')
    writeSync(1, `${text}\n`)
  }
  tell('open')
  for (let round = 0; ; round++) {
    const bytes = randomBytes(1 + (round % 7) * 300_000)
    const blob = { ...descriptorOf(bytes), mediaType: MEDIA_TYPES.ociManifest }
    await store.blobs.put(blob, inPieces(bytes, 65_536))
    await store.images.set(`localhost/crash:${round % 5}`, blob)
    tell(`named localhost/crash:${round % 5} ${blob.digest}`)
    const parted = await putParts(store, { ...blob, bytes })
    await store.images.set(`localhost/parts:${round % 5}`, parted)
    tell(`named localhost/parts:${round % 5} ${parted.digest}`)
    // Now and then one file is made of parts that are named.
    if (round % 4 === 1) await store.blobs.file(parted.digest)
    tell(`put ${await putFiles(store, 1 + (round % 50))}`)
    if (round % 3 === 2) {
      await store.sync()
      tell('synced')
    }
    // Two disks' worth of blobs would be too much.
    if (round >= 10) for (const old of stale(store)) store.blobs.delete(old)
  }
}

/** Stores a blob in parts of another one. */
async function putParts(
  store: Store,
  earlier: { readonly digest: Digest; readonly bytes: Buffer },
): Promise<Descriptor> {
  await using folder = store.temporary()
  const file = join(folder.path, 'parts')
  const pieces = randomBytes(10_000)
  writeFileSync(file, pieces)
  const all = { position: 0, size: earlier.bytes.length }
  const parts = [
    { from: 'pieces', position: 0, size: 4000 },
    { from: 'earlier', ...all },
    { from: 'pieces', position: 4000, size: 6000 },
  ] as const
  completeParts(file, { earlier: earlier.digest, parts })
  const bytes = Buffer.concat([pieces.subarray(0, 4000), earlier.bytes, pieces.subarray(4000)])
  const blob = { ...descriptorOf(bytes), mediaType: MEDIA_TYPES.ociManifest }
  store.blobs.adoptParts(file, blob.digest)
  return blob
}

/** Blobs that no image names, and of which no named one has parts. */
function stale(store: Store): readonly Digest[] {
  const named = store.images.list().map((image) => image.descriptor.digest)
  const used = new Set(named.flatMap((digest) => [digest, store.blobs.earlierOf(digest) ?? digest]))
  const all = readdirSync(dirname(store.blobs.path(digestOf('')))).map((hex) => `sha256:${hex}`)
  return all.map(parseDigest).filter((digest) => !used.has(digest))
}

async function putFiles(store: Store, count: number): Promise<LayerId> {
  const folder = store.temporary()
  const made = join(folder.path, 'fs')
  mkdirSync(made)
  for (let i = 0; i < count; i++) writeFileSync(join(made, `${i}`), 'x'.repeat(i * 100))
  const { id } = await store.layers.commitDirectory(made)
  const key = keyOf(id)
  store.records.put({ key, family: key, preimage: { count }, layer: id, description: 'files' })
  await folder[Symbol.asyncDispose]()
  return id
}

const REMADE = 'a'.repeat(64)
const REMADE_BYTES = 1 << 20

/** Syncs a layer, removes it, makes another one of that name, and has the disk write everything but that. */
async function remake(root: string): Promise<void> {
  {
    await using store = openStore(root)
    await putRemade(store)
    await store.sync()
  }
  const store = openStore(root)
  const all = { all: true, matches: () => true, limits: {} }
  const gone = await new Collector(store).remove(all)
  assert.deepEqual(
    gone.map(({ id }) => id),
    [REMADE],
  )
  await putRemade(store)
  const manifest = await store.blobs.putBytes(MEDIA_TYPES.ociManifest, Buffer.from('{}'))
  await store.images.set('localhost/remade:1', manifest)
  writeSync(1, 'remade\n')
  await setTimeout(60_000)
}

async function putRemade(store: Store): Promise<void> {
  await using folder = store.temporary()
  const made = join(folder.path, 'fs')
  mkdirSync(made)
  writeFileSync(join(made, 'file'), Buffer.alloc(REMADE_BYTES, 1))
  await store.layers.commitDirectory(made, { id: layerId(REMADE) })
}

/** What there is of the layer after a crash. */
async function checkRemade(root: string): Promise<void> {
  await using store = openStore(root)
  const isThere = store.layers.get(layerId(REMADE))?.directory === true
  const size = isThere ? statSync(join(root, 'layers', REMADE, 'file')).size : undefined
  const names = store.images.list().map(({ name }) => name)
  writeSync(1, JSON.stringify({ names, isThere, isWhole: size === REMADE_BYTES }))
}

/** Tells what a store has after a crash; fails when something of it is not whole. */
async function check(root: string): Promise<void> {
  await using store = openStore(root)
  const names: Record<string, string> = {}
  for (const { name, descriptor } of store.images.list()) {
    await collect(await store.blobs.open(descriptor), descriptor.size)
    names[name] = descriptor.digest
  }
  const layers = readdirSync(join(root, 'layers')).filter((id) => {
    const record = store.records.find(keyOf(id))
    // Its process ended between the folder and the record: unused, but whole.
    if (record === undefined) return false
    assert.ok(isJsonObject(record.preimage))
    const { count } = record.preimage
    const files = readdirSync(join(root, 'layers', id))
    assert.equal(files.length, count)
    for (const file of files) {
      assert.equal(statSync(join(root, 'layers', id, file)).size, Number(file) * 100)
    }
    return true
  })
  await using _ = store.temporary()
  writeSync(1, JSON.stringify({ names, layers }))
}

/** Opens a store and closes it again, taking over what the dead have left. */
async function clean(root: string): Promise<void> {
  await using store = openStore(root)
  store.temporary()
}

/** Stops the ext4 file system at `path` as a power cut would. */
function cut(path: string): void {
  const ioctl = koffi.load(null).func('int ioctl(int fd, unsigned long request, uint32_t *flags)')
  const shutdown = 0x8004587d
  const withoutFlushing = 2
  assert.equal(ioctl(openSync(path, 'r'), shutdown, [withoutFlushing]), 0)
}

/** Empties a cache mount of many files again and again, without end. */
async function empty(root: string): Promise<void> {
  for (;;) {
    await using store = openStore(root)
    await using _ = await store.mounts.open([{ ...fullMount(200), isFresh: true }])
    writeSync(1, 'emptied\n')
  }
}

/** Takes a lease and a temporary folder, and never comes to an end. */
async function hold(root: string): Promise<void> {
  const store = openStore(root)
  await store.lease(keyOf('held'))
  writeFileSync(join(store.temporary().path, 'file'), 'x')
  process.stdout.write('held\n')
  await setTimeout(60_000)
}

/** Fills the disk by storing blobs, and tells what can be done with a store on a full disk. */
async function fill(root: string): Promise<void> {
  const codes = new Set<string>()
  const tried = async (work: () => unknown) => {
    try {
      await work()
    } catch (cause) {
      // A test's own file may not fit either; what counts is what the store says.
      if (cause instanceof TsbuildError) codes.add(cause.code)
      else if (errnoOf(cause) !== 'ENOSPC') throw cause
    }
  }
  const first = Buffer.from('{"first":true}')
  await using store = openStore(root)
  const manifest = await store.blobs.putBytes(MEDIA_TYPES.ociManifest, first)
  await store.images.set('localhost/first:1', manifest)
  await putStep(store, 'first')
  const large: ReturnType<typeof descriptorOf>[] = []
  for (let size = 1 << 20; size > 0; size >>= 1) {
    for (let ended = false; !ended; ) {
      const bytes = randomBytes(size)
      const blob = descriptorOf(bytes)
      await tried(() => store.blobs.put(blob, inPieces(bytes)))
      ended = !(await store.blobs.has(blob))
      if (!ended) large.push(blob)
    }
  }
  for (let i = 0; i < 20; i++) await tried(() => putStep(store, `full ${i} ${'x'.repeat(9000)}`))
  await tried(() => store.blobs.putBytes('text/plain', randomBytes(5000)))
  await tried(() => store.images.set(`localhost/second:${'x'.repeat(100)}`, manifest))
  const whenFull = { names: store.images.list().length, step: store.records.find(keyOf('first')) }
  for (const blob of large) store.blobs.delete(blob.digest)
  await putStep(store, 'after')
  await store.images.set('localhost/third:1', manifest)
  const report = {
    codes: [...codes],
    filled: large.length,
    whenFull: { names: whenFull.names, step: whenFull.step !== undefined },
    names: store.images.list().map((image) => image.name),
    after: store.records.find(keyOf('after')) !== undefined,
  }
  process.stdout.write(JSON.stringify(report))
}

const [, , command, root = '', argument = ''] = process.argv
switch (command) {
  case 'build':
    await build(root, argument)
    break
  case 'crash':
    await crash(root)
    break
  case 'remake':
    await remake(root)
    break
  case 'remade':
    await checkRemade(root)
    break
  case 'check':
    await check(root)
    break
  case 'clean':
    await clean(root)
    break
  case 'cut':
    cut(root)
    break
  case 'hold':
    await hold(root)
    break
  case 'empty':
    await empty(root)
    break
  case 'fill':
    await fill(root)
    break
  default:
    throw new Error(`unknown command ${command}`)
}
