import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { type Reported, type Verification, verifyStore } from '#builder/verify'
import { damagesOf, FILES, MENDED, type Part } from './support/damages.ts'
import { type StoreCopy, StoredImage } from './support/stored-image.ts'

/** Verifies stores that are damaged in all kinds of ways, and repairs them. */
export function verifySuite(part: Part): void {
  let image: StoredImage
  before(async () => {
    image = await StoredImage.make()
  })
  after(() => image?.[Symbol.asyncDispose]())

  const verify = (root: string): Promise<Verification> => verifyStore({ root, threads: 2 })
  const repair = (root: string): Promise<Verification> =>
    verifyStore({ root, threads: 2, repair: true })

  it('finds nothing in one that is sound, has read all of it, and changes nothing', async () => {
    const copy = await image.copy()
    const before = copy.index()
    const found = await verify(copy.root)
    assert.deepEqual(found.findings, [])
    assert.equal(found.isSound, true)
    assert.equal(found.checked.names, 1)
    assert.ok(found.checked.blobs >= 8, `${found.checked.blobs} blobs`)
    assert.ok(found.checked.layers >= 3, `${found.checked.layers} folders`)
    assert.equal(copy.index(), before)
    assert.deepEqual((await repair(copy.root)).findings, [])
  })

  for (const [row, [what, path]] of Object.entries(FILES).entries()) {
    for (const [kind, harm] of damagesOf(row, part)) {
      // Most of a database is free, and a checksum in each row finds the rest: see below.
      if (what === 'the database' && kind === 'a flipped bit') continue
      const heals = MENDED.has(what)
      it(`finds ${what} with ${kind}, and repairs what can be repaired`, async () => {
        const copy = await image.copy()
        // Otherwise the log has what the file lacks.
        flushLog(copy)
        harm(path(copy))
        const found = await verify(copy.root)
        assert.notEqual(damageIn(found).length, 0)
        assert.equal(found.isSound, false)
        const repaired = await repair(copy.root)
        assert.equal(repaired.isSound, heals, JSON.stringify(repaired.findings, undefined, 1))
        if (!heals) {
          assert.ok(damageIn(repaired).some(({ state }) => state === 'kept'))
          // The name is there, and a build completes its image.
          assert.equal((await copy.build()).imageId, image.built.imageId)
        }
        assert.deepEqual(damageIn(await verify(copy.root)), [])
        assert.equal(await copy.push(), image.pushed)
      })
    }
  }
}

function damageIn({ findings }: Verification): readonly Reported[] {
  return findings.filter(({ severity }) => severity === 'damage')
}

function flushLog(copy: StoreCopy): void {
  const database = new DatabaseSync(copy.path('tsbuild.db'))
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  database.close()
}
