import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { applyLayer, changesOf, ownersBeside, presumeOwners, writeLayer } from '#builder/layer'
import { ownersFileOf } from '#core'
import { directory, file, hardlink, header, symlink, tar } from '../../../support/raw-tar/index.ts'
import { chunked, hasTool, temporary } from '../support/files.ts'

const ROOT = fileURLToPath(new URL('../../../../..', import.meta.url))
const ONE = { uid: 1000, gid: 1000 }
const TWO = { uid: 2, gid: 3 }

/** Calls a function of the layer area, in a namespace with one user id. */
const SCRIPT = `
const layer = await import('#builder/layer')
const { createReadStream } = await import('node:fs')
const [name, ...args] = process.argv.slice(1)
const [first, second] = args.map((arg) => JSON.parse(arg))
const calls = {
  apply: () => layer.applyLayer(createReadStream(first), second, { lowers: [], owners: 'beside' }),
  digest: () => layer.writeLayer(layer.changesOf(first), { tar: second }),
  copy: () => layer.writeLayer(layer.changesOf(first), { directory: second }, { owners: 'beside' }),
  merge: () => layer.mergeLayers(first, second, { owners: 'beside' }),
  presume: () => layer.presumeOwners(first, second),
}
console.log(JSON.stringify((await calls[name]()) ?? null))
`

describe('owners where there is one id', () => {
  const files = temporary()

  before(function () {
    if (process.getuid?.() !== 0 || !hasTool('unshare')) this.skip()
  })

  function withOneId(name: string, ...args: readonly unknown[]) {
    const words = [
      '--user',
      '--map-root-user',
      process.execPath,
      '--input-type=module',
      '-e',
      SCRIPT,
    ]
    const texts = args.map((arg) => JSON.stringify(arg))
    const options = { cwd: ROOT, encoding: 'utf8' } as const
    return JSON.parse(execFileSync('unshare', [...words, name, ...texts], options))
  }

  function applied(...parts: readonly Buffer[]): string {
    const [from, to] = [files.fresh(), files.fresh()]
    writeFileSync(from, tar(...parts))
    withOneId('apply', from, to)
    return to
  }

  function kept(path: string): readonly string[] {
    const records = readFileSync(ownersFileOf(path), 'latin1').split('\0')
    assert.equal(records.pop(), '')
    return records
  }

  const LAYERS: Readonly<Record<string, readonly Buffer[]>> = {
    'all types': [
      directory('d/', ONE),
      file('d/f', 'x', TWO),
      hardlink('d/hard', 'd/f', TWO),
      header({ name: 'fifo', type: '6', ...ONE }),
      header({ name: 'link', type: '2', link: 'd', ...TWO }),
      file('set', 's', { ...ONE, mode: 0o6755 }),
      file('root'),
    ],
    'the root, and names that are not UTF-8': [
      directory('./', TWO),
      file('\xff\n x', 'x', ONE),
      file('9:9 y', 'y', ONE),
    ],
    'later entries': [
      directory('d/', ONE),
      file('d/f', 'x', ONE),
      file('f', 'x', ONE),
      file('f', 'y'),
      file('d', 'now a file'),
      file('g', 'x'),
      file('g', 'y', TWO),
    ],
    deletions: [directory('d/', ONE), file('d/.wh.gone'), file('.wh.gone'), symlink('l', 'd')],
  }

  for (const [name, parts] of Object.entries(LAYERS)) {
    it(`are those of the layer when its directory is read: ${name}`, async () => {
      const here = files.fresh()
      await applyLayer(chunked(tar(...parts)), here, { lowers: [] })
      const { diffId } = writeLayer(changesOf(here), { tar: files.fresh() })
      const there = applied(...parts)
      assert.ok(existsSync(ownersFileOf(there)))
      assert.equal(withOneId('digest', there, files.fresh()).diffId, diffId)
      const copy = files.fresh()
      withOneId('copy', there, copy)
      assert.equal(withOneId('digest', copy, files.fresh()).diffId, diffId)
    })
  }

  it('are kept of what is not there only, by path', () => {
    const path = applied(...(LAYERS['all types'] ?? []))
    assert.deepEqual(kept(path), [
      ...['1000:1000 d', '2:3 d/f', '2:3 d/hard', '1000:1000 fifo', '2:3 link', '1000:1000 set'],
    ])
    assert.deepEqual(kept(applied(...(LAYERS['later entries'] ?? []))), ['2:3 g'])
    assert.equal(existsSync(ownersFileOf(applied(file('f'), directory('d/')))), false)
    assert.deepEqual(ownersBeside([path], 'all'), {
      count: 6,
      first: [
        { path: '/d', ...ONE },
        { path: '/d/f', ...TWO },
        { path: '/d/hard', ...TWO },
      ],
    })
    assert.equal(ownersBeside([path], 'presumed'), undefined)
  })

  it('go into a merged directory', () => {
    const lower = applied(directory('d/', ONE), file('d/f', 'x', ONE), file('d/gone', 'x', ONE))
    const upper = applied(directory('d/', TWO), file('d/.wh.gone'))
    const merged = files.fresh()
    withOneId('merge', [upper, lower], merged)
    assert.deepEqual(kept(merged), ['2:3 d', '1000:1000 d/f'])
  })

  it('are presumed of what a step changed, and not of what it made', () => {
    const parts = ['changed', 'touched', 'replaced', 'made'].map((name) =>
      directory(`${name}/`, ONE),
    )
    const lower = applied(
      ...parts,
      file('changed/f', 'x', ONE),
      file('made/f', 'x', TWO),
      file('r'),
    )
    const upper = files.fresh()
    for (const name of ['', 'changed', 'touched', 'made', 'new']) mkdirSync(join(upper, name))
    for (const name of ['changed/f', 'touched/new', 'made/f', 'replaced', 'r', 'new/f']) {
      writeFileSync(join(upper, name), '')
    }
    execFileSync(
      'unshare',
      [
        ...['--user', '--map-root-user', process.execPath, '--input-type=module', '-e'],
        `const { setXattr } = await import('#builder/linux')
      setXattr(${JSON.stringify(join(upper, 'made'))}, 'user.overlay.opaque', Buffer.from('y'))`,
      ],
      { cwd: ROOT },
    )
    withOneId('presume', upper, [lower])
    assert.deepEqual(kept(upper), [
      '1000:1000? changed',
      '1000:1000? changed/f',
      '1000:1000? touched',
    ])
    const found = ownersBeside([upper, lower], 'presumed')
    assert.deepEqual([found?.count, found?.first[1]], [3, { path: '/changed/f', ...ONE }])
    const presumed = Array.from(changesOf(upper), (change) => {
      return change.kind === 'entry' && change.stat.isOwnerPresumed === true ? [change.path] : []
    })
    assert.deepEqual(presumed.flat(), ['changed', 'changed/f', 'touched'])
  })

  it('leave a file behind a step that changed nothing, so that it is known what it saw', () => {
    const upper = files.fresh()
    mkdirSync(upper)
    presumeOwners(upper, [applied(file('f', 'x', ONE))])
    assert.equal(readFileSync(ownersFileOf(upper), 'latin1'), '')
  })
})
