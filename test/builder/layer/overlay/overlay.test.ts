import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { applyLayer, changesOf, stackTree, writeLayer } from '#builder/layer'
import { chunked, inOverlay, isRoot, overlayListing, temporary } from '../support/files.ts'
import { treeListing } from '../support/listing.ts'
import { randomFrom, randomScript } from '../support/random-script.ts'

describe('layers and the kernel agree', () => {
  const files = temporary()

  before(function () {
    if (!isRoot) this.skip()
  })

  for (let seed = 1; seed <= 5; seed++) {
    it(`on what three steps of random changes leave, seed ${seed}`, async () => {
      const random = randomFrom(seed * 7919)
      let uppers: string[] = []
      let written: string[] = []
      for (let step = 0; step < 3; step++) {
        const [base, upper, work] = [files.fresh(), files.fresh(), files.fresh()]
        for (const path of [base, upper, work]) mkdirSync(path)
        const lowers = uppers.length === 0 ? [base] : uppers
        inOverlay(randomScript(random, 25), { lowers, upper, work })
        const lowerUppers = uppers
        uppers = [upper, ...uppers]
        const truth = overlayListing(uppers)

        const merged = stackTree(uppers)
        assert.deepEqual(treeListing(merged), truth)
        merged.close()

        const tar = files.fresh()
        const direct = files.fresh()
        const lower = stackTree(lowerUppers)
        const { diffId, size } = writeLayer(changesOf(upper, { lower }), { tar, directory: direct })
        lower.close()
        assert.deepEqual(overlayListing([direct, ...written]), truth, 'the directory')
        const marked = files.fresh()
        writeLayer(changesOf(upper), { directory: marked })
        assert.deepEqual(overlayListing([marked, ...written]), truth, 'with opaque marks')

        const applied = files.fresh()
        const result = await applyLayer(chunked(readFileSync(tar)), applied, { lowers: written })
        assert.deepEqual(
          { diffId: result.diffId, size: result.size, dependsOnLowers: result.dependsOnLowers },
          { diffId, size, dependsOnLowers: false },
        )
        written = [applied, ...written]
        assert.deepEqual(overlayListing(written), truth, 'the tar')

        const again = writeLayer(changesOf(applied), { tar: files.fresh() })
        assert.equal(again.diffId, diffId, 'the tar of what was applied')
      }
    })
  }
})
