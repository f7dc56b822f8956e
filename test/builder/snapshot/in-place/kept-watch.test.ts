import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { KeptWatch } from '../../../../builder/snapshot/in-place/kept-watch.ts'

describe('the watch of what is kept', () => {
  let place: string
  let watch: KeptWatch
  const at = (path: string): string => join(place, path)
  beforeEach(async () => {
    place = mkdtempSync(join(tmpdir(), 'tsbuild-kept-watch-'))
    for (const path of ['context/a/b', 'context/store/tmp', 'top/inside']) {
      mkdirSync(at(path), { recursive: true })
    }
    writeFileSync(at('context/a/b/old'), 'x')
    watch = new KeptWatch({
      contexts: [at('context')],
      tops: [at('top')],
      store: at('context/store'),
    })
    await beginStep()
  })
  // The clock of files stands still for a few milliseconds, of which a step takes more to start.
  const beginStep = async (): Promise<void> => {
    watch.begin()
    await setTimeout(20)
  }
  afterEach(() => rmSync(place, { recursive: true }))

  it('finds what is new or gone in a context, however deep, and at the top of others', async () => {
    const cases: readonly (readonly [string, () => void])[] = [
      ['context/new', () => mkdirSync(at('context/new'))],
      ['context/a/b/file', () => writeFileSync(at('context/a/b/file'), 'x')],
      ['context/a/b', () => rmSync(at('context/a/b/old'))],
      ['top/file', () => writeFileSync(at('top/file'), 'x')],
    ]
    for (const [path, change] of cases) {
      await beginStep()
      change()
      assert.throws(() => watch.check(), {
        code: 'STEP_FAILED',
        message: `the step has changed ${at(path)}, which would be missing in the image`,
      })
    }
  })

  it('leaves the store to the build, and others what is below their top', () => {
    writeFileSync(at('context/store/tmp/file'), 'x')
    writeFileSync(at('top/inside/file'), 'x')
    watch.check()
  })
})
