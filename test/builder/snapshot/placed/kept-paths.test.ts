import assert from 'node:assert/strict'
import { chmodSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PlacedRoot } from '#builder/snapshot'
import { FreshRoot, namesBelow } from './support/fresh-root.ts'
import type { KeptMount } from './support/mounted-roots.ts'

describe('a placed root keeps paths', () => {
  let files: FreshRoot
  let root: string

  before(function () {
    if (process.getuid?.() !== 0) this.skip()
  })

  beforeEach(() => {
    files = new FreshRoot()
    root = files.root
  })

  afterEach(() => files.remove())

  it('that are neither touched nor seen, and says what of the layers they hide', () => {
    for (const name of ['own/tool', 'etc/hosts', 'etc/old', 'var/lib/own/store']) {
      mkdirSync(join(root, name, '..'), { recursive: true })
      writeFileSync(join(root, name), 'kept')
    }
    chmodSync(join(root, 'etc'), 0o700)
    const base = files.layer({
      'etc/hosts': 'of layer',
      'etc/passwd': 'p',
      'own/tool': 'x',
      'var/lib': 'y',
    })
    const keep = ['own', 'etc/hosts', 'var/lib/own', 'absent/path'].map((name) => join(root, name))
    const placed = new PlacedRoot(root, { keep })
    const { hidden } = placed.place([base])
    assert.deepEqual([...hidden].sort(), ['etc/hosts', 'own', 'var/lib'])
    assert.deepEqual(namesBelow(root), [
      ...['etc', 'etc/hosts', 'etc/passwd', 'own', 'own/tool'],
      ...['var', 'var/lib', 'var/lib/own', 'var/lib/own/store'],
    ])
    assert.equal(lstatSync(join(root, 'etc')).mode & 0o777, 0o755)
    for (const name of ['own/tool', 'etc/hosts', 'var/lib/own/store']) {
      assert.equal(readFileSync(join(root, name), 'utf8'), 'kept')
      writeFileSync(join(root, name), 'changed')
    }
    writeFileSync(join(root, 'own/new'), '')
    assert.deepEqual(files.collected(placed), [])
    writeFileSync(join(root, 'etc/new'), '')
    writeFileSync(join(root, 'var/lib/new'), '')
    assert.deepEqual(files.collected(placed), ['etc', 'etc/new', 'var', 'var/lib', 'var/lib/new'])
    placed.place([])
    assert.deepEqual(namesBelow(root), [
      ...['etc', 'etc/hosts', 'own', 'own/new', 'own/tool'],
      ...['var', 'var/lib', 'var/lib/own', 'var/lib/own/store'],
    ])
  })

  it('at which something is mounted', () => {
    const kept = files.inNamespace<KeptMount>('kept')
    assert.deepEqual(kept, {
      hidden: ['mnt/a b'],
      placed: ['mnt', 'mnt/a b', 'mnt/a b/mounted', 'mnt/beside'],
      inMount: 'stays',
      collected: ['mnt', 'mnt/new'],
      unmounted: ['mnt', 'mnt/a b', 'mnt/a b/of layer', 'mnt/beside'],
    })
  })
})
