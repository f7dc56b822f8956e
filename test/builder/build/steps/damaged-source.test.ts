import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { BuildOptions } from '#builder'
import { flipBit } from '../../../support/peers/index.ts'
import { type Built, Workplace } from '../support/workplace.ts'

/** So many that it is noted what was copied. */
const FILES = 520

describe('build: a stage whose folder the disk has damaged', () => {
  let at: Workplace
  beforeEach(async () => {
    at = await Workplace.open()
    at.put(Object.fromEntries(Array.from({ length: FILES }, (_, n) => [`d/f${n}`, `file ${n}\n`])))
  })
  afterEach(() => at[Symbol.asyncDispose]())

  const made = ['FROM scratch AS made', 'COPY d /d']
  const warningsOf = ({ events }: Built): readonly string[] =>
    events.flatMap((event) => (event.type === 'warning' ? [event.message] : []))

  async function copied(
    to: string,
    options: Partial<BuildOptions> & { readonly from?: string } = {},
  ): Promise<Built> {
    const { from = '/d', ...more } = options
    const copy = `COPY --from=made ${from} ${to}`
    return await at.build([...made, 'FROM scratch', copy], { reproducible: true, ...more })
  }

  function damage(): void {
    const layers = join(at.path('store'), 'layers')
    const found = readdirSync(layers, { recursive: true, encoding: 'utf8' })
    const [file, ...more] = found.filter(
      (path) => path.endsWith('made/d/f7') || /^[0-9a-f]{64}\/d\/f7$/.test(path),
    )
    assert.deepEqual(more, [])
    flipBit(join(layers, file ?? ''), 2)
  }

  for (const from of ['/d', '/d/f7', '/d/f*']) {
    it(`is made anew of its tar, and none of the damage is copied: ${from}`, async () => {
      await copied('/e/')
      // Now there is a tar of it, too.
      await at.build(made, { reproducible: true })
      damage()
      const mended = await copied('/other/', { from })
      const [warning = '', ...more] = warningsOf(mended)
      assert.match(
        warning,
        /^"\/d\/f7" in a layer of the store is not what was written; it was made anew/,
      )
      assert.deepEqual(more, [])
      const right = await copied('/other/', { from, root: at.path('undisturbed') })
      assert.equal(mended.imageId, right.imageId)
      assert.deepEqual(warningsOf(await copied('/third/', { from })), [])
    })
  }

  it('fails the build where nothing is left to make it of, and the next one makes it', async () => {
    await copied('/e/')
    damage()
    await assert.rejects(copied('/other/'), { code: 'DIGEST_MISMATCH' })
    const next = await copied('/other/')
    const right = await copied('/other/', { root: at.path('undisturbed') })
    assert.equal(next.imageId, right.imageId)
  })

  it('is no matter for files that are copied of another part of it', async () => {
    await copied('/e/')
    damage()
    assert.deepEqual(warningsOf(await copied('/other/', { from: '/d/f8' })), [])
  })
})
