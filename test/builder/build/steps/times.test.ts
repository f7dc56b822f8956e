import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { hexOf, parseDigest } from '#core'
import { parseManifest } from '../../../support/manifest/index.ts'
import { run } from '../../../support/peers/index.ts'
import { foreignImage, foreignLayer, publish } from '../support/images.ts'
import { Workplace } from '../support/workplace.ts'

const EPOCH = { SOURCE_DATE_EPOCH: '1000000000' }

describe('SOURCE_DATE_EPOCH', () => {
  let at: Workplace
  beforeEach(async () => {
    at = await Workplace.open()
    at.put({ a: 'A', 'deep/b': 'B' })
    publish(at.registry, 'base', foreignImage([await foreignLayer({ x: '1' })]))
  })
  afterEach(() => at[Symbol.asyncDispose]())

  const dockerfile = (): string[] => [
    `FROM ${at.at('base')}`,
    'COPY . /files',
    'WORKDIR /work',
    'COPY <<EOF /heredoc',
    'text',
    'EOF',
    'LABEL a=b',
  ]

  /** Builds to a folder; the config, and the years of all entries, a list for each layer. */
  async function built(name: string, options: Parameters<Workplace['build']>[1] = {}) {
    const dest = at.path(name)
    const output = { type: 'oci', dest, tar: false, compression: 'uncompressed' } as const
    const rewrites = options.outputs === undefined ? {} : { rewriteTimestamp: true }
    const { digest } = await at.build(dockerfile(), {
      ...options,
      outputs: [{ ...output, ...rewrites }],
    })
    const blob = (of: string): string => `${dest}/blobs/sha256/${hexOf(parseDigest(of))}`
    assert.ok(digest !== undefined)
    const manifest = parseManifest(readFileSync(blob(digest)), '')
    const years: string[][] = []
    for (const layer of manifest.layers) {
      const { stdout } = await run('tar', ['-tvf', blob(layer.digest)], { env: { TZ: 'UTC' } })
      years.push([...stdout.matchAll(/ (\d{4})-\d\d-\d\d /g)].map(([, year = '']) => year))
    }
    return { config: JSON.parse(readFileSync(blob(manifest.config.digest), 'utf8')), years }
  }

  it('is the latest time of the image and of what it makes, not of the base', async () => {
    const { config, years } = await built('plain', { buildArgs: EPOCH })
    assert.equal(config.created, '2001-09-09T01:46:40Z')
    const created = config.history.map((entry: { created: string }) => entry.created)
    const epoch = '2001-09-09T01:46:40Z'
    assert.deepEqual(created, ['2020-01-02T03:04:05Z', epoch, epoch, epoch, epoch])
    const [base, copied, workdir, heredoc] = years
    assert.deepEqual([base, workdir, heredoc], [['2001'], ['2001'], ['2001']])
    assert.ok(copied?.includes(String(new Date().getUTCFullYear())))
  })

  it('is the latest time of all new files with rewrite-timestamp', async () => {
    const rewrite = { buildArgs: EPOCH, outputs: [] }
    const { config, years } = await built('rewritten', rewrite)
    assert.deepEqual(new Set(years.flat()), new Set(['2001']))
    assert.equal(years[1]?.length, 4)
    const again = await built('again', rewrite)
    assert.deepEqual(again.config, config)
  })

  it('may come from a global ARG of the Dockerfile', async () => {
    const text = ['ARG SOURCE_DATE_EPOCH=1000000000', ...dockerfile()]
    const first = await at.build(text)
    const second = await at.build(text, { noCache: true })
    assert.equal(first.imageId, second.imageId)
  })

  it('does not make steps run again that have no time of their own', async () => {
    const text = [`FROM ${at.at('base')}`, 'COPY a /']
    await at.build(text, { buildArgs: EPOCH })
    const later = await at.build(text, { buildArgs: { SOURCE_DATE_EPOCH: '1000000001' } })
    assert.deepEqual(later.steps, { total: 1, cached: 1 })
  })

  for (const value of ['yesterday', '-1', '1.5', '9999999999999']) {
    it(`is refused when it is ${value}`, async () => {
      const buildArgs = { SOURCE_DATE_EPOCH: value }
      const message = `invalid SOURCE_DATE_EPOCH: ${value}`
      await assert.rejects(at.build(dockerfile(), { buildArgs }), { code: 'USAGE', message })
    })
  }
})
