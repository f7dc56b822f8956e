import assert from 'node:assert/strict'
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type Reported, type Verification, verifyStore } from '#builder/verify'
import { openStore } from '#cache'
import { type DiffId, digestOf, hexOf, MEDIA_TYPES } from '#core'
import { type StoreCopy, StoredImage } from './support/stored-image.ts'

describe('what verifying a store finds', () => {
  let image: StoredImage
  before(async () => {
    image = await StoredImage.make()
  })
  after(() => image?.[Symbol.asyncDispose]())

  const verify = ({ root }: StoreCopy): Promise<Verification> => verifyStore({ root, threads: 2 })
  const repair = ({ root }: StoreCopy): Promise<Verification> =>
    verifyStore({ root, threads: 2, repair: true })

  /** The findings, which a repair leaves nothing of. */
  async function repaired(copy: StoreCopy): Promise<readonly Reported[]> {
    const { findings } = await verify(copy)
    const after = await repair(copy)
    assert.equal(after.isSound, true, JSON.stringify(after.findings))
    const left = (await verify(copy)).findings.filter(({ subject }) => subject !== 'corrupt')
    assert.deepEqual(left, [])
    assert.equal((await copy.build()).imageId, image.built.imageId)
    assert.equal(await copy.push(), image.pushed)
    return findings
  }

  for (const [table, change] of [
    ['records', "UPDATE records SET description = description || 'x'"],
    ['layers', 'UPDATE layers SET size = size + 1 WHERE size IS NOT NULL'],
    ['compressed', 'UPDATE compressed SET size = size + 1'],
    ['seals', "UPDATE seals SET sum = 'x'"],
  ] as const) {
    it(`is a row of ${table} with another value`, async () => {
      const copy = await image.copy()
      if (table === 'seals') await sealAll(copy)
      const database = new DatabaseSync(copy.path('tsbuild.db'))
      const { changes } = database.prepare(change).run()
      database.close()
      assert.ok(Number(changes) > 0)
      const found = await repaired(copy)
      const rows = found.filter(({ subject }) => subject.startsWith(`${table} `))
      assert.equal(rows.length, Number(changes))
      assert.ok(rows.every(({ severity }) => severity === 'damage'))
    })
  }

  it('is a blob that does not hold the layer that it is recorded to hold', async () => {
    const copy = await image.copy()
    const diffId = (image.built.layers.at(-1)?.diffId ?? '') as DiffId
    await using store = openStore(copy.root)
    const other = Buffer.from('another layer')
    const blob = await store.blobs.putBytes(MEDIA_TYPES.ociLayer, other)
    store.layers.addCompressed(diffId, blob)
    const [found, ...more] = await repaired(copy)
    assert.deepEqual(more, [])
    assert.equal(found?.subject, `blob ${blob.digest}`)
    assert.match(
      found.problem,
      new RegExp(`does not hold the layer ${diffId}, as the database says`),
    )
    assert.ok(store.layers.compressed(diffId).every(({ digest }) => digest !== blob.digest))
  })

  it('is a packed blob that was kept, which is packed again', async () => {
    const copy = await image.copy()
    const dest = copy.path('../packed')
    const pack = () => copy.build({ outputs: [{ type: 'oci', dest, tar: false }] })
    await pack()
    await using store = openStore(copy.root)
    const diffId = (image.built.layers.at(-1)?.diffId ?? '') as DiffId
    const [kept] = store.layers.compressed(diffId)
    assert.ok(kept)
    const path = store.blobs.path(kept.digest)
    assert.equal(statSync(path).mode & 0o777, 0o640)
    assert.deepEqual((await verify(copy)).findings, [])
    writeFileSync(path, 'other', { flag: 'r+' })
    const [found, ...more] = await repaired(copy)
    assert.deepEqual(more, [])
    assert.equal(found?.subject, `blob ${kept.digest}`)
    assert.equal(found.remedy, 'sets it aside')
    await pack()
    assert.deepEqual(digestOf(readFileSync(path)), kept.digest)
  })

  it('is what anybody may read or enter, and blobs with other modes', async () => {
    const copy = await image.copy()
    chmodSync(copy.root, 0o755)
    chmodSync(copy.path('layers'), 0o750)
    chmodSync(copy.layer(0), 0o600)
    const found = await repaired(copy)
    assert.deepEqual(found.map(({ subject }) => subject).slice(0, 2), [copy.root, 'layers'])
    assert.equal(statSync(copy.root).mode & 0o777, 0o700)
    assert.equal(statSync(copy.path('layers')).mode & 0o777, 0o700)
    assert.equal(statSync(copy.layer(0)).mode & 0o777, 0o444)
  })

  it('is what nothing knows, and no damage', async () => {
    const copy = await image.copy()
    mkdirSync(copy.path('layers/0123456789abcdefghij/d'), { recursive: true })
    mkdirSync(copy.path('tmp/0123456789abcdef'))
    mkdirSync(copy.path(`mounts/${hexOf(digestOf('x'))}.0`))
    writeFileSync(copy.path('blobs/sha256/tmp123'), '')
    const before = await verify(copy)
    assert.equal(before.isSound, true)
    assert.equal(before.findings.length, 4)
    await repaired(copy)
    assert.deepEqual(readdirSync(copy.path('tmp')), [])
    assert.equal(readdirSync(copy.path('layers')).includes('0123456789abcdefghij'), false)
  })

  it('is a damaged folder, and no sound one on top of it', async () => {
    const copy = await image.copy()
    // The step made on top of it has seen the file.
    writeFileSync(copy.inLayer('d/copied'), 'COPIED\n')
    const found = await repaired(copy)
    assert.equal(found.length, 1, JSON.stringify(found, undefined, 1))
    assert.match(found[0]?.subject ?? '', /^layer /)
  })

  it('are steps whose layers are gone, which run again', async () => {
    const copy = await image.copy()
    const ran = copy.inLayer('d/ran')
    rmSync(join(ran, '../..'), { recursive: true })
    rmSync(copy.layer(1))
    const { findings } = await verify(copy)
    const lost = findings.find(({ subject }) => subject === 'records')
    assert.match(lost?.problem ?? '', /^of "\[stage-1 3\/4\] RUN .* lead to layers that are gone/)
    assert.equal((await repair(copy)).isSound, false)
    assert.equal((await copy.build()).imageId, image.built.imageId)
    assert.equal((await repair(copy)).isSound, true)
  })

  it('is told by the codes of failures where there is no store, or that of another user', async () => {
    const nowhere = image.at.path('nowhere')
    await assert.rejects(verifyStore({ root: nowhere }), { code: 'NOT_FOUND' })
    mkdirSync(nowhere)
    await assert.rejects(verifyStore({ root: nowhere }), { code: 'NOT_FOUND' })
  })

  it('ends with CANCELLED when it is cancelled', async () => {
    const { root } = await image.copy()
    await assert.rejects(verifyStore({ root, signal: AbortSignal.abort() }), { code: 'CANCELLED' })
  })
})

/** Folders get a seal when they leave as files and their blob was unpacked here. */
async function sealAll(copy: StoreCopy): Promise<void> {
  const dest = `${copy.root}.files`
  await copy.build({ outputs: [{ type: 'local', dest }] })
}
