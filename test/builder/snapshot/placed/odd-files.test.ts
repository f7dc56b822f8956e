import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { lstatSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeNode } from '#builder/linux'
import { PlacedRoot } from '#builder/snapshot'
import { FreshRoot } from './support/fresh-root.ts'
import type { LockedOut } from './support/locked-out.ts'

describe('odd files in a placed root', () => {
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

  it('have holes where layers have them, and layers where the root has them', () => {
    const base = files.layer({ hole: '' })
    truncateSync(join(base, 'hole'), 10_000_000)
    const placed = new PlacedRoot(root)
    placed.place([base])
    assert.equal(lstatSync(join(root, 'hole')).blocks, 0)
    assert.equal(lstatSync(join(root, 'hole')).size, 10_000_000)
    writeFileSync(join(root, 'parts'), 'start')
    truncateSync(join(root, 'parts'), 10_000_000)
    writeFileSync(join(root, 'parts'), 'end', { flag: 'a' })
    const content = readFileSync(join(root, 'parts'))
    const upper = join(files.home, 'upper')
    placed.collect(upper)
    assert.ok(lstatSync(join(upper, 'parts')).blocks <= 32)
    assert.ok(readFileSync(join(upper, 'parts')).equals(content))
  })

  it('are left out: sockets, and a device that cannot be made, which then counts as untouched', () => {
    const base = files.layer({ a: '' })
    makeNode(join(base, 'socket'), 'socket', { mode: 0o600 })
    makeNode(join(base, 'device'), 'character', { mode: 0o600, major: 1, minor: 3 })
    new PlacedRoot(root).place([base])
    assert.deepEqual(readdirSync(root).sort(), ['a', 'device'])
    const script = new URL('./support/without-devices.js', import.meta.url).pathname
    const args = ['--user', '--map-root-user', process.execPath, script, base, files.home]
    const { warnings, shown, upper } = JSON.parse(
      execFileSync('unshare', args, { encoding: 'utf8' }),
    )
    assert.deepEqual(warnings, ['left out the device "/device": only root can make devices'])
    assert.deepEqual(shown, ['a'])
    assert.deepEqual(upper, ['b'])
  })

  it('that lock out their owner are read where modes bind that, and locked again', () => {
    const base = files.layer({ 'a/b': '1', c: '2' })
    execFileSync('chown', ['-R', '1000:1000', files.home])
    const script = new URL('./support/locked-out.js', import.meta.url).pathname
    const user = ['--reuid', '1000', '--regid', '1000', '--clear-groups', '--bounding-set', '-all']
    const args = [...user, '--inh-caps', '-all', process.execPath, script, base, files.home]
    const found: LockedOut = JSON.parse(execFileSync('setpriv', args, { encoding: 'utf8' }))
    const modes = ['a 0', 'a/b 0', 'a/d 100', 'a/d/e 200', 'a/d/e/f 644']
    assert.deepEqual(found, {
      collected: modes,
      content: 'changed',
      mode: 0o40000,
      again: [],
      below: ['a 755', 'a/b 644', 'c 644'],
      afterwards: [],
    })
    const left = modes.map((line) => {
      const name = line.split(' ')[0] ?? ''
      return `${name} ${(lstatSync(join(root, name)).mode & 0o777).toString(8)}`
    })
    assert.deepEqual(left, modes)
  })
})
