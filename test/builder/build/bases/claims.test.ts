import assert from 'node:assert/strict'
import { type ForeignLayer, foreignImage, foreignLayer, publish } from '../support/images.ts'
import { outputOf, putShell, SHELL_BASE } from '../support/shell-base.ts'
import { Workplace } from '../support/workplace.ts'

describe('build: a base whose config claims a layer that the store has', () => {
  let at: Workplace
  let good: ForeignLayer
  beforeEach(async () => {
    at = await Workplace.open()
    putShell(at)
    good = await foreignLayer({ f: 'good\n' })
    publish(at.registry, 'good', foreignImage([good]))
    assert.equal(outputOf(await use('good')), 'good\n')
  })
  afterEach(() => at[Symbol.asyncDispose]())

  const use = (base: string, ...more: readonly string[]) =>
    at.build(
      [
        ...SHELL_BASE,
        `FROM ${at.at(base)}`,
        'RUN --mount=from=base,source=/bin,target=/bin ["/bin/cat", "/f"]',
        ...more,
      ],
      { tags: [at.at('app')], outputs: [{ type: 'registry' }] },
    )

  const refused = { code: 'DIGEST_MISMATCH' }

  it('is refused when its blob is another layer, also where every step is cached', async () => {
    const evil = await foreignLayer({ f: 'evil\n' })
    publish(at.registry, 'evil', foreignImage([evil], { diffIds: [good.diffId] }))
    await assert.rejects(use('evil'), refused)
    await assert.rejects(
      use('evil', 'RUN --mount=from=base,source=/bin,target=/bin ["/bin/true"]'),
      refused,
    )
    await assert.rejects(
      at.build([`FROM ${at.at('evil')}`, 'COPY busybox /'], {
        outputs: [{ type: 'tar', dest: at.path('x') }],
      }),
      refused,
    )
    assert.equal(at.registry.blob('app', evil.descriptor.digest), undefined)
    assert.equal(outputOf(await use('good', 'LABEL still=works')), '')
  })

  it('is looked at once when its blob is the layer in another compression', async () => {
    const zstd = await foreignLayer({ f: 'good\n' }, 'zstd')
    assert.equal(zstd.diffId, good.diffId)
    publish(at.registry, 'zstd', foreignImage([zstd]))
    const fetches = () =>
      at.takeLog().filter((line) => line.startsWith('GET') && line.includes(zstd.descriptor.digest))
    at.takeLog()
    assert.equal(outputOf(await use('zstd')), '')
    assert.equal(fetches().length, 1)
    assert.equal(outputOf(await use('zstd')), '')
    assert.equal(fetches().length, 0)
    assert.ok(at.registry.blob('app', zstd.descriptor.digest))
  })
})
