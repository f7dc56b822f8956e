import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { mergeLayers } from '#builder/layer'
import { listXattrs, setXattr } from '#builder/linux'
import { inOverlay, isRoot, overlayListing, temporary } from '../support/files.ts'
import { randomFrom, randomScript } from '../support/random-script.ts'

describe('merged layers', () => {
  const files = temporary()

  before(function () {
    if (!isRoot) this.skip()
  })

  /** A layer that a script leaves on top of others (topmost first). */
  function layerOn(lowers: readonly string[], script: string): string {
    const [base, upper, work] = [files.fresh(), files.fresh(), files.fresh()]
    for (const path of [base, upper, work]) mkdirSync(path)
    inOverlay(script, { lowers: lowers.length === 0 ? [base] : lowers, upper, work })
    return upper
  }

  function merge(directories: readonly string[]): string {
    const merged = files.fresh()
    mergeLayers(directories, merged)
    return merged
  }

  for (let seed = 1; seed <= 4; seed++) {
    it(`look as the stack that they were, below others, seed ${seed}`, () => {
      const random = randomFrom(seed * 104729)
      let stack: string[] = []
      for (let step = 0; step < 4; step++) {
        stack = [layerOn(stack, randomScript(random, 20)), ...stack]
      }
      const truth = overlayListing(stack)
      for (let kept = 0; kept < stack.length; kept++) {
        const all = [...stack.slice(0, kept), merge(stack.slice(kept))]
        assert.deepEqual(overlayListing(all), truth, `the lowest ${stack.length - kept}`)
      }
      const part = merge(stack.slice(2))
      assert.deepEqual(overlayListing([merge([...stack.slice(0, 2), part])]), truth, 'again')
    })
  }

  it('keep attributes, of folders too, hard links and deletions', () => {
    const lower = files.fresh()
    mkdirSync(join(lower, 'd/deep'), { recursive: true })
    writeFileSync(join(lower, 'd/f'), 'f')
    writeFileSync(join(lower, 'd/gone'), 'gone')
    writeFileSync(join(lower, 'd/deep/hidden'), 'hidden')
    symlinkSync('f', join(lower, 'd/l'))
    for (const name of ['d', 'd/f']) setXattr(join(lower, name), 'user.note', Buffer.from(name))
    setXattr(join(lower, 'd/f'), 'trusted.note', Buffer.from('t'))
    // cap_net_raw+ep
    const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex')
    setXattr(join(lower, 'd/f'), 'security.capability', capability)
    const upper = layerOn(
      [lower],
      'ln d/f d/g; ln d/f h; rm d/gone; rm -r d/deep; mkdir d/deep; touch d/deep/shown',
    )
    const stack = [upper, lower]
    const truth = overlayListing(stack)
    assert.match(truth.join('\n'), /"d" .*user\.note=64\n/)
    assert.match(truth.join('\n'), /"d\/g" = "d\/f"\n/)
    const merged = merge(stack)
    assert.deepEqual(overlayListing([merged]), truth)
    assert.equal(listXattrs(join(merged, 'd/f')).get('trusted.note')?.toString(), 't')
    assert.equal(listXattrs(join(merged, 'd/deep')).size, 0)
  })
})
