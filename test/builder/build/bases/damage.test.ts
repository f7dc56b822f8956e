import assert from 'node:assert/strict'
import {
  appendFileSync,
  chmodSync,
  lstatSync,
  lutimesSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type Digest, hexOf } from '#core'
import { foreignImage, foreignLayer, publish } from '../support/images.ts'
import { putShell, SHELL_BASE } from '../support/shell-base.ts'
import { Workplace } from '../support/workplace.ts'

/** Damage to a file of a layer. */
const DAMAGE: Readonly<Record<string, (path: string) => void>> = {
  'a flipped bit': (path) => {
    const { mtimeMs } = lstatSync(path)
    const bytes = readFileSync(path)
    bytes[0] = (bytes[0] ?? 0) ^ 1
    writeFileSync(path, bytes)
    lutimesSync(path, mtimeMs / 1000, mtimeMs / 1000)
  },
  'another mode': (path) => chmodSync(path, 0o600),
  'a missing file': (path) => rmSync(path),
  'a file more': (path) => writeFileSync(`${path}.more`, ''),
  'a longer file': (path) => appendFileSync(path, 'more'),
}

describe('build: damaged directories of layers', () => {
  let at: Workplace
  beforeEach(async () => {
    at = await Workplace.open()
    putShell(at)
    at.put({ copied: 'copied\n', 'shell/busybox': readFileSync('/bin/busybox') })
    const base = await foreignLayer({ 'd/': '', 'd/base': 'base\n', 'd/gone': '' })
    const upper = await foreignLayer({ 'd/.wh.gone': '', 'lone/x': 'x' })
    publish(at.registry, 'base', foreignImage([base, upper]))
  })
  afterEach(() => at[Symbol.asyncDispose]())

  const RUN = 'RUN --mount=from=base,source=/bin,target=/bin'
  const dockerfile = () => [
    ...SHELL_BASE,
    `FROM ${at.at('base')}`,
    'COPY copied /d/copied',
    `${RUN} echo ran > /d/ran`,
  ]

  async function tarOf(): Promise<Buffer> {
    const dest = at.path('out.tar')
    await at.build(dockerfile(), { outputs: [{ type: 'tar', dest }] })
    return readFileSync(dest)
  }

  /** The one file of that name in any layer's directory. */
  function fileOf(name: string): string {
    const layers = join(at.path('store'), 'layers')
    const found = readdirSync(layers, { recursive: true, encoding: 'utf8' }).filter(
      (path) => path.endsWith(`/d/${name}`) && lstatSync(join(layers, path)).isFile(),
    )
    assert.equal(found.length, 1, found.join())
    return join(layers, found[0] ?? '')
  }

  for (const [kind, harm] of Object.entries(DAMAGE)) {
    it(`are made anew from their blobs, after ${kind}`, async () => {
      const truth = await tarOf()
      // Now the steps have tars, too.
      await at.build(dockerfile())
      for (const name of ['base', 'copied', 'ran']) {
        const path = fileOf(name)
        const before = readFileSync(path)
        harm(path)
        assert.ok(truth.equals(await tarOf()), name)
        assert.deepEqual(readFileSync(fileOf(name)), before)
      }
      const folder = at.path('folder')
      harm(fileOf('base'))
      await at.build(dockerfile(), { outputs: [{ type: 'local', dest: folder }] })
      assert.deepEqual(readdirSync(join(folder, 'd')).sort(), ['base', 'copied', 'ran'])
      assert.equal(readFileSync(join(folder, 'd/base'), 'utf8'), 'base\n')
    }).timeout(120_000)

    for (const name of ['copied', 'ran']) {
      it(`are refused where nothing else holds ${name}, after ${kind}`, async () => {
        await tarOf()
        harm(fileOf(name))
        await assert.rejects(tarOf(), { code: 'DIGEST_MISMATCH' })
        const made = await tarOf()
        assert.deepEqual(lstatSync(fileOf(name)).size, `${name}\n`.length)
        assert.ok(made.includes(`${name}\n`))
        harm(fileOf(name))
        await assert.rejects(at.build(dockerfile()), { code: 'DIGEST_MISMATCH' })
        assert.equal((await at.build(dockerfile())).layers.length, 4)
      }).timeout(120_000)
    }
  }

  it('of a base are left alone where nothing can tell, and made anew once it can', async () => {
    await at.build([`FROM ${at.at('base')}`, 'COPY copied /'])
    const blobs = join(at.path('store'), 'blobs/sha256')
    const manifest = at.registry.manifest('base', 'latest')
    assert.ok(manifest)
    const [{ digest }] = JSON.parse(manifest.bytes.toString()).layers
    rmSync(join(blobs, hexOf(digest)))
    DAMAGE['a flipped bit']?.(fileOf('base'))
    const damaged = readFileSync(fileOf('base'))
    const tar = { type: 'tar', dest: at.path('out.tar') } as const
    const build = () => at.build([`FROM ${at.at('base')}`, 'COPY copied /'], { outputs: [tar] })
    const reply = { status: 404, body: '' }
    at.registry.fail({ path: /blobs/, times: 9, action: { kind: 'reply', reply } })
    await assert.rejects(build(), { code: 'NOT_FOUND' })
    assert.deepEqual(readFileSync(fileOf('base')), damaged)
    at.registry.clearFaults()
    await build()
    assert.equal(readFileSync(fileOf('base'), 'latin1'), 'base\n')
  })

  it('are found where a deletion is missing', async () => {
    const truth = await tarOf()
    const layers = join(at.path('store'), 'layers')
    const [mark = ''] = readdirSync(layers, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('/d/gone'))
      .filter((path) => lstatSync(join(layers, path)).isCharacterDevice())
    rmSync(join(layers, mark))
    assert.ok(truth.equals(await tarOf()))
  })

  it('do not change what is pushed and stored when a tar is missing', async () => {
    const first = await at.build(dockerfile())
    const lose = (diffId: string) =>
      rmSync(join(at.path('store'), 'blobs/sha256', hexOf(diffId as Digest)))
    for (const { diffId } of first.layers.slice(2)) lose(diffId)
    const again = await at.build(dockerfile())
    assert.equal(again.imageId, first.imageId)
    const dest = at.path('x.tar')
    for (const output of [
      { type: 'store' } as const,
      { type: 'registry' } as const,
      { type: 'oci', dest } as const,
      { type: 'docker', dest } as const,
    ]) {
      const { layers } = await at.build(dockerfile())
      lose(layers.at(-1)?.diffId ?? '')
      DAMAGE['a flipped bit']?.(fileOf('ran'))
      const refused = at.build(dockerfile(), { tags: [at.at('app')], outputs: [output] })
      await assert.rejects(refused, { code: 'DIGEST_MISMATCH' })
    }
  })
})
