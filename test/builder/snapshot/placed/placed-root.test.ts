import assert from 'node:assert/strict'
import {
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { makeWhiteout } from '#builder/linux'
import { PlacedRoot } from '#builder/snapshot'
import { TsbuildError } from '#core'
import { FreshRoot } from './support/fresh-root.ts'
import type { FullRoot } from './support/mounted-roots.ts'
import { listed, shownFiles } from './support/shown-files.ts'

describe('a placed root', () => {
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

  function inodeOf(name: string): number {
    return lstatSync(join(root, name)).ino
  }

  describe('keeps what it shows', () => {
    it('when the same stack is placed again: nothing is touched', () => {
      const stack = [files.layer({ b: '2' }), files.layer({ 'a/b': '1' })]
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
      const base = files.layer({ 'a/b': '1', c: '2' })
      const placed = new PlacedRoot(root)
      placed.place([base])
      writeFileSync(join(root, 'a/b'), 'changed')
      const upper = join(files.home, 'upper')
      placed.collect(upper)
      renameSync(upper, join(files.home, 'committed'))
      const before = ['a', 'a/b', 'c'].map((name) => lstatSync(join(root, name)).ctimeMs)
      placed.place([join(files.home, 'committed'), base])
      const after = ['a', 'a/b', 'c'].map((name) => lstatSync(join(root, name)).ctimeMs)
      assert.deepEqual(after, before)
      writeFileSync(join(root, 'c'), 'changed, too')
      assert.deepEqual(files.collected(placed), ['c'])
    })

    it('where another stack has the same: files of layers that both have', () => {
      const base = files.layer({ 'a/one': '1', 'a/two': '2', 'b/three': '3' })
      const upper = files.layer({ 'a/two': 'other', new: 'n' })
      makeWhiteout(join(upper, 'b'))
      const placed = new PlacedRoot(root)
      placed.place([upper, base])
      const one = inodeOf('a/one')
      placed.place([base])
      assert.equal(inodeOf('a/one'), one)
      assert.deepEqual(shownFiles(root), files.freshly([base]))
      placed.place([files.layer({ 'a/four': '4' }), upper, base])
      assert.equal(inodeOf('a/one'), one)
      assert.deepEqual(files.collected(placed), [])
    })

    it('of a layer that it collected and that is gone: what that had is taken back', () => {
      const base = files.layer({ 'a/one': '1', 'a/two': '2' })
      const placed = new PlacedRoot(root)
      placed.place([base])
      const one = inodeOf('a/one')
      rmSync(join(root, 'a/two'))
      writeFileSync(join(root, 'a/three'), '3')
      const upper = join(files.home, 'upper')
      placed.collect(upper)
      rmSync(upper, { recursive: true })
      placed.place([base])
      assert.equal(inodeOf('a/one'), one)
      assert.deepEqual(shownFiles(root), files.freshly([base]))
    })

    it('unless a layer is no longer where it was: then all is made anew', () => {
      const base = files.layer({ a: '1' })
      const top = files.layer({ b: '2' })
      const placed = new PlacedRoot(root)
      placed.place([top, base])
      renameSync(top, join(files.home, 'elsewhere'))
      placed.place([base])
      assert.deepEqual(shownFiles(root), files.freshly([base]))
    })
  })

  it('removes what it does not know, without following links', () => {
    writeFileSync(join(files.home, 'outside'), 'stays')
    mkdirSync(join(root, 'd/e'), { recursive: true })
    symlinkSync(files.home, join(root, 'd/link'))
    symlinkSync(files.home, join(root, 'a'))
    const base = files.layer({ 'a/b': '1' })
    new PlacedRoot(root).place([base])
    assert.deepEqual(shownFiles(root), files.freshly([base]))
    assert.equal(readFileSync(join(files.home, 'outside'), 'utf8'), 'stays')
  })

  it('shows no layers at all as an empty directory', () => {
    writeFileSync(join(root, 'a'), '')
    const placed = new PlacedRoot(root)
    placed.place([])
    assert.deepEqual(readdirSync(root), [])
    writeFileSync(join(root, 'b'), '')
    assert.deepEqual(files.collected(placed), ['b'])
  })

  it('finds a change in the moment after, of as many bytes and with the old time', () => {
    const base = files.layer({ a: 'one' })
    lutimesSync(join(base, 'a'), 1_000_000_000, 1_000_000_000)
    for (let i = 0; i < 30; i++) {
      const placed = new PlacedRoot(root)
      const stack = [base]
      for (const text of ['two', 'six']) {
        placed.place(stack)
        writeFileSync(join(root, 'a'), text)
        lutimesSync(join(root, 'a'), 1_000_000_000, 1_000_000_000)
        const upper = join(files.home, `upper-${text}-${i}`)
        placed.collect(upper)
        assert.equal(readFileSync(join(upper, 'a'), 'utf8'), text)
        stack.unshift(upper)
      }
    }
  })

  it('packs no file that differs in a time only, when no entry is to be newer', () => {
    const base = files.layer({ a: '1', b: '2', c: '3' })
    for (const name of ['a', 'b', 'c']) lutimesSync(join(base, name), 1000, 1000)
    const placed = new PlacedRoot(root)
    placed.place([base])
    writeFileSync(join(root, 'a'), '1')
    writeFileSync(join(root, 'b'), 'changed')
    const tar = join(files.home, 'tar')
    placed.pack(tar, { maxMtime: 1_000_000 })
    assert.deepEqual(listed(tar).filter(Boolean).length, 1)
    assert.match(listed(tar)[0] ?? '', / b$/)
  })

  it('knows directories again that have got other inode numbers', () => {
    const found = files.inNamespace<readonly string[]>('renumbered')
    assert.deepEqual(found, ['renumbered', 'a', 'a/three'])
  })

  describe('after a failure', () => {
    it('says that there is no space, and places the next stack from nothing', () => {
      const full = files.inNamespace<FullRoot>('full')
      assert.deepEqual(full, { code: 'NO_SPACE', cause: 'ENOSPC', afterwards: ['a'] })
    })

    it('does not collect from what it does not know', () => {
      const base = files.layer({ a: '1' })
      const placed = new PlacedRoot(root)
      placed.place([base])
      assert.throws(
        () => placed.place([join(files.home, 'absent')]),
        (failure) => failure instanceof TsbuildError && failure.code === 'IO_FAILED',
      )
      assert.throws(() => placed.collect(join(files.home, 'upper')), /unknown/)
      writeFileSync(join(root, 'stray'), '')
      placed.place([base])
      assert.deepEqual(readdirSync(root), ['a'])
    })
  })
})
