import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeNode, makeWhiteout } from '#builder/linux'
import { PlacedRoot } from '#builder/snapshot'
import { TsbuildError } from '#core'
import type { LockedOut } from './support/locked-out.ts'
import type { FullRoot, KeptMount } from './support/mounted-roots.ts'
import { shownFiles } from './support/shown-files.ts'

describe('a placed root', () => {
  let home: string
  let root: string
  let count = 0

  before(function () {
    if (process.getuid?.() !== 0) this.skip()
  })

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'tsbuild-placed-'))
    root = join(home, 'root')
    mkdirSync(root)
  })

  afterEach(() => rmSync(home, { recursive: true, force: true }))

  /** A layer with these files; a name that ends with a slash is a directory. */
  function layer(files: Readonly<Record<string, string>>): string {
    count += 1
    const directory = join(home, `layer${count}`)
    mkdirSync(directory)
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(join(directory, name, name.endsWith('/') ? '' : '..'), { recursive: true })
      if (!name.endsWith('/')) writeFileSync(join(directory, name), text)
    }
    return directory
  }

  function inodeOf(name: string): number {
    return lstatSync(join(root, name)).ino
  }

  /** What a new root shows of a stack. */
  function freshly(stack: readonly string[]): string[] {
    const directory = mkdtempSync(join(home, 'fresh-'))
    new PlacedRoot(directory).place(stack)
    return shownFiles(directory)
  }

  function collected(placed: PlacedRoot): string[] {
    count += 1
    const upper = join(home, `upper${count}`)
    placed.collect(upper)
    return (readdirSync(upper, { recursive: true }) as string[]).sort()
  }

  describe('keeps what it shows', () => {
    it('when the same stack is placed again: nothing is touched', () => {
      const stack = [layer({ b: '2' }), layer({ 'a/b': '1' })]
      const placed = new PlacedRoot(root)
      placed.place(stack)
      const before = ['', 'a', 'a/b', 'b'].map((name) => lstatSync(join(root, name)))
      placed.place(stack)
      const after = ['', 'a', 'a/b', 'b'].map((name) => lstatSync(join(root, name)))
      // Looking at a directory sets its access time.
      const marks = before.map(({ ino, ctimeMs, mtimeMs }) => ({ ino, ctimeMs, mtimeMs }))
      assert.partialDeepStrictEqual(after, marks)
    })

    it('when its changes have become a layer with another name', () => {
      const base = layer({ 'a/b': '1', c: '2' })
      const placed = new PlacedRoot(root)
      placed.place([base])
      writeFileSync(join(root, 'a/b'), 'changed')
      const upper = join(home, 'upper')
      placed.collect(upper)
      renameSync(upper, join(home, 'committed'))
      const before = ['', 'a/b', 'c'].map((name) => lstatSync(join(root, name)).ctimeMs)
      placed.place([join(home, 'committed'), base])
      const after = ['', 'a/b', 'c'].map((name) => lstatSync(join(root, name)).ctimeMs)
      assert.deepEqual(after, before)
      writeFileSync(join(root, 'c'), 'changed, too')
      assert.deepEqual(collected(placed), ['c'])
    })

    it('where another stack has the same: files of layers that both have', () => {
      const base = layer({ 'a/one': '1', 'a/two': '2', 'b/three': '3' })
      const upper = layer({ 'a/two': 'other', new: 'n' })
      makeWhiteout(join(upper, 'b'))
      const placed = new PlacedRoot(root)
      placed.place([upper, base])
      const one = inodeOf('a/one')
      placed.place([base])
      assert.equal(inodeOf('a/one'), one)
      assert.deepEqual(shownFiles(root), freshly([base]))
      placed.place([layer({ 'a/four': '4' }), upper, base])
      assert.equal(inodeOf('a/one'), one)
      assert.deepEqual(collected(placed), [])
    })

    it('of a layer that it collected and that is gone: what that had is taken back', () => {
      const base = layer({ 'a/one': '1', 'a/two': '2' })
      const placed = new PlacedRoot(root)
      placed.place([base])
      const one = inodeOf('a/one')
      rmSync(join(root, 'a/two'))
      writeFileSync(join(root, 'a/three'), '3')
      const upper = join(home, 'upper')
      placed.collect(upper)
      rmSync(upper, { recursive: true })
      placed.place([base])
      assert.equal(inodeOf('a/one'), one)
      assert.deepEqual(shownFiles(root), freshly([base]))
    })

    it('unless a layer is no longer where it was: then all is made anew', () => {
      const base = layer({ a: '1' })
      const top = layer({ b: '2' })
      const placed = new PlacedRoot(root)
      placed.place([top, base])
      renameSync(top, join(home, 'elsewhere'))
      placed.place([base])
      assert.deepEqual(shownFiles(root), freshly([base]))
    })
  })

  it('removes what it does not know, without following links', () => {
    writeFileSync(join(home, 'outside'), 'stays')
    mkdirSync(join(root, 'd/e'), { recursive: true })
    symlinkSync(home, join(root, 'd/link'))
    symlinkSync(home, join(root, 'a'))
    const base = layer({ 'a/b': '1' })
    new PlacedRoot(root).place([base])
    assert.deepEqual(shownFiles(root), freshly([base]))
    assert.equal(readFileSync(join(home, 'outside'), 'utf8'), 'stays')
  })

  it('shows no layers at all as an empty directory', () => {
    writeFileSync(join(root, 'a'), '')
    const placed = new PlacedRoot(root)
    placed.place([])
    assert.deepEqual(readdirSync(root), [])
    writeFileSync(join(root, 'b'), '')
    assert.deepEqual(collected(placed), ['b'])
  })

  it('finds a change in the moment after, of as many bytes and with the old time', () => {
    const base = layer({ a: 'one' })
    lutimesSync(join(base, 'a'), 1_000_000_000, 1_000_000_000)
    for (let i = 0; i < 30; i++) {
      const placed = new PlacedRoot(root)
      placed.place([base])
      writeFileSync(join(root, 'a'), 'two')
      lutimesSync(join(root, 'a'), 1_000_000_000, 1_000_000_000)
      assert.deepEqual(collected(placed), ['a'])
      writeFileSync(join(root, 'a'), 'six')
      lutimesSync(join(root, 'a'), 1_000_000_000, 1_000_000_000)
      assert.deepEqual(collected(placed), ['a'])
    }
  })

  it('has holes where layers have them, and layers where it has them', () => {
    const base = layer({ hole: '' })
    truncateSync(join(base, 'hole'), 10_000_000)
    const placed = new PlacedRoot(root)
    placed.place([base])
    assert.equal(lstatSync(join(root, 'hole')).blocks, 0)
    assert.equal(lstatSync(join(root, 'hole')).size, 10_000_000)
    writeFileSync(join(root, 'parts'), 'start')
    truncateSync(join(root, 'parts'), 10_000_000)
    writeFileSync(join(root, 'parts'), 'end', { flag: 'a' })
    const content = readFileSync(join(root, 'parts'))
    const upper = join(home, 'upper')
    placed.collect(upper)
    assert.ok(lstatSync(join(upper, 'parts')).blocks <= 32)
    assert.ok(readFileSync(join(upper, 'parts')).equals(content))
  })

  it('leaves out sockets, and a device that it cannot make, which then counts as untouched', () => {
    const base = layer({ a: '' })
    makeNode(join(base, 'socket'), 'socket', { mode: 0o600 })
    makeNode(join(base, 'device'), 'character', { mode: 0o600, major: 1, minor: 3 })
    new PlacedRoot(root).place([base])
    assert.deepEqual(readdirSync(root).sort(), ['a', 'device'])
    const script = new URL('./support/without-devices.js', import.meta.url).pathname
    const args = ['--user', '--map-root-user', process.execPath, script, base, home]
    const { warnings, shown, upper } = JSON.parse(
      execFileSync('unshare', args, { encoding: 'utf8' }),
    )
    assert.deepEqual(warnings, ['left out the device "/device": only root can make devices'])
    assert.deepEqual(shown, ['a'])
    assert.deepEqual(upper, ['b'])
  })

  it('reads what locks out its owner, where modes bind that, and locks it again', () => {
    const base = layer({ 'a/b': '1', c: '2' })
    execFileSync('chown', ['-R', '1000:1000', home])
    const script = new URL('./support/locked-out.js', import.meta.url).pathname
    const user = ['--reuid', '1000', '--regid', '1000', '--clear-groups', '--bounding-set', '-all']
    const args = [...user, '--inh-caps', '-all', process.execPath, script, base, home]
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

  describe('keeps paths', () => {
    it('that are neither touched nor seen, and says what of the layers they hide', () => {
      for (const name of ['own/tool', 'etc/hosts', 'etc/old', 'var/lib/own/store']) {
        mkdirSync(join(root, name, '..'), { recursive: true })
        writeFileSync(join(root, name), 'kept')
      }
      chmodSync(join(root, 'etc'), 0o700)
      const base = layer({
        'etc/hosts': 'of layer',
        'etc/passwd': 'p',
        'own/tool': 'x',
        'var/lib': 'y',
      })
      const keep = ['own', 'etc/hosts', 'var/lib/own', 'absent/path'].map((name) =>
        join(root, name),
      )
      const placed = new PlacedRoot(root, { keep })
      const { hidden } = placed.place([base])
      assert.deepEqual([...hidden].sort(), ['etc/hosts', 'own', 'var/lib'])
      assert.deepEqual((readdirSync(root, { recursive: true }) as string[]).sort(), [
        ...['etc', 'etc/hosts', 'etc/passwd', 'own', 'own/tool'],
        ...['var', 'var/lib', 'var/lib/own', 'var/lib/own/store'],
      ])
      assert.equal(lstatSync(join(root, 'etc')).mode & 0o777, 0o755)
      for (const name of ['own/tool', 'etc/hosts', 'var/lib/own/store']) {
        assert.equal(readFileSync(join(root, name), 'utf8'), 'kept')
        writeFileSync(join(root, name), 'changed')
      }
      writeFileSync(join(root, 'own/new'), '')
      assert.deepEqual(collected(placed), [])
      writeFileSync(join(root, 'etc/new'), '')
      writeFileSync(join(root, 'var/lib/new'), '')
      assert.deepEqual(collected(placed), ['etc', 'etc/new', 'var', 'var/lib', 'var/lib/new'])
      placed.place([])
      assert.deepEqual((readdirSync(root, { recursive: true }) as string[]).sort(), [
        ...['etc', 'etc/hosts', 'own', 'own/new', 'own/tool'],
        ...['var', 'var/lib', 'var/lib/own', 'var/lib/own/store'],
      ])
    })

    it('at which something is mounted', () => {
      const kept = inNamespace<KeptMount>('kept')
      assert.deepEqual(kept, {
        hidden: ['mnt/a b'],
        placed: ['mnt', 'mnt/a b', 'mnt/a b/mounted', 'mnt/beside'],
        inMount: 'stays',
        collected: ['mnt', 'mnt/new'],
        unmounted: ['mnt', 'mnt/a b', 'mnt/a b/of layer', 'mnt/beside'],
      })
    })
  })

  describe('after a failure', () => {
    it('says that there is no space, and places the next stack from nothing', () => {
      const full = inNamespace<FullRoot>('full')
      assert.deepEqual(full, { code: 'NO_SPACE', cause: 'ENOSPC', afterwards: ['a'] })
    })

    it('does not collect from what it does not know', () => {
      const base = layer({ a: '1' })
      const placed = new PlacedRoot(root)
      placed.place([base])
      assert.throws(
        () => placed.place([join(home, 'absent')]),
        (failure) => failure instanceof TsbuildError && failure.code === 'IO_FAILED',
      )
      assert.throws(() => placed.collect(join(home, 'upper')), /unknown/)
      writeFileSync(join(root, 'stray'), '')
      placed.place([base])
      assert.deepEqual(readdirSync(root), ['a'])
    })
  })

  function inNamespace<T>(what: string): T {
    const script = new URL('./support/mounted-roots.js', import.meta.url).pathname
    const args = ['-m', process.execPath, script, what, home]
    rmSync(root, { recursive: true })
    return JSON.parse(execFileSync('unshare', args, { encoding: 'utf8' }))
  }
})
