import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { ScannedEntries, setFileTimes } from '#builder/linux'
import { directoryTree, scannedTree, treeState } from '#builder/tree'
import { joinName, type Name, nameOf, type Tree } from '#core'
import { parseDockerignore } from '#parser'
import { type TemporaryDirectory, temporaryDirectory } from '../../support/peers/index.ts'

const ROOT = '' as Name
const IGNORE = '**/d\nsub/deep\n!sub/deep/kept\nignored\n!ignored/none\n**/*.log\n'

describe('a tree of which folders were scanned', () => {
  let directory: TemporaryDirectory
  beforeEach(() => {
    directory = temporaryDirectory('scanned')
    for (const path of ['sub/deep', 'ignored/sub', 'empty']) {
      mkdirSync(directory.file(path), { recursive: true })
    }
    for (const path of ['a', 'b.log', 'sub/d', 'sub/deep/kept', 'sub/deep/d', 'ignored/sub/x']) {
      writeFileSync(directory.file(path), path)
    }
    linkSync(directory.file('a'), directory.file('sub/same'))
    symlinkSync('nowhere', directory.file('link'))
    execFileSync('mkfifo', [directory.file('fifo')])
    writeFileSync(Buffer.from(`${directory.file('')}\xff\xe4`, 'latin1'), '')
    chmodSync(directory.file('sub'), 0o2751)
    utimesSync(directory.file('a'), 1, 1_600_000_000.123456)
    utimesSync(directory.file('sub/d'), 1, -5.5)
    utimesSync(directory.file('sub/deep'), 1, 5_000_000_000.25)
  })
  afterEach(() => directory[Symbol.dispose]())

  /** A tree, and the same with its folders scanned. */
  function trees({ ignore, leftOut }: { ignore?: string; leftOut?: string } = {}) {
    const options = {
      ...(ignore === undefined ? {} : { ignore: parseDockerignore(ignore) }),
      leftOut: leftOut === undefined ? undefined : directory.file(leftOut),
    }
    const work = treeState(directory.path, { paths: [ROOT], ...options })
    let step = work.next()
    while (!step.done) step = work.next()
    const { folders } = step.value ?? assert.fail('no state')
    const tree = directoryTree(directory.path, options)
    return { tree, folders, scanned: scannedTree(tree, folders) }
  }

  function everything(tree: Tree, folder: Name = ROOT): readonly unknown[] {
    return tree.readdir(folder).flatMap((name) => {
      const path = joinName(folder, name)
      const stat = tree.lstat(path)
      return [{ path, stat }, ...(stat?.type === 'directory' ? everything(tree, path) : [])]
    })
  }

  for (const [what, options] of [
    ['as a whole', {}],
    ['with what is ignored', { ignore: IGNORE }],
    ['without a folder', { leftOut: 'sub/deep' }],
  ] as const) {
    it(`is what it is without: ${what}`, () => {
      const { tree, scanned, folders } = trees(options)
      assert.ok(folders.size >= 2)
      const found = everything(scanned)
      assert.deepEqual(found, everything(tree))
      assert.ok(found.length >= 6)
      for (const path of [
        '',
        'none',
        'a/x',
        'sub/none',
        'ignored',
        'ignored/sub',
        'link/x',
        'b.log',
      ]) {
        assert.deepEqual(scanned.lstat(nameOf(path)), tree.lstat(nameOf(path)), path)
      }
      assert.throws(() => scanned.readdir(nameOf('a')), { code: 'NOT_FOUND' })
      scanned.close()
    })
  }

  it('has devices as they are', function () {
    if (process.geteuid?.() !== 0) this.skip()
    execFileSync('mknod', [directory.file('device'), 'b', '3000', '70000'])
    const { tree, scanned } = trees()
    const found = scanned.lstat(nameOf('device'))
    assert.deepEqual(found, tree.lstat(nameOf('device')))
    assert.deepEqual([found?.major, found?.minor], [3000, 70_000])
    tree.close()
  })

  it('is as it was when it was scanned, without another look', () => {
    const { scanned } = trees()
    const { size } = lstatSync(directory.file('sub/d'))
    writeFileSync(directory.file('sub/d'), 'another content')
    rmSync(directory.file('a'))
    assert.equal(scanned.lstat(nameOf('sub/d'))?.size, size)
    assert.equal(scanned.lstat(nameOf('a'))?.type, 'file')
    assert.throws(() => scanned.openFile(nameOf('a')), { code: 'IO_FAILED' })
    scanned.close()
  })

  it('knows times of modification to the nanosecond', () => {
    const times = {
      before: -1n,
      first: 1n,
      now: 1_796_068_475_998_151_764n,
      far: 5n * 10n ** 18n + 7n,
    }
    mkdirSync(directory.file('sub/times'))
    for (const [name, mtimeNs] of Object.entries(times)) {
      writeFileSync(directory.file(`sub/times/${name}`), name)
      setFileTimes(directory.file(`sub/times/${name}`), { atimeNs: 0n, mtimeNs })
    }
    const { folders } = trees()
    const entries = new ScannedEntries(folders.get(nameOf('sub/times')) ?? assert.fail())
    for (const name of Object.keys(times)) {
      const { seconds, nanoseconds } = entries.modifiedOf(nameOf(name)) ?? assert.fail()
      const time = BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds)
      const { mtimeNs } = lstatSync(directory.file(`sub/times/${name}`), { bigint: true })
      assert.equal(time, mtimeNs, name)
    }
    assert.equal(entries.modifiedOf(nameOf('absent')), undefined)
  })

  it('has entries of any length of name', () => {
    rmSync(directory.file('sub'), { recursive: true })
    mkdirSync(directory.file('sub'))
    const names = Array.from({ length: 255 }, (_, index) => 'n'.repeat(index + 1))
    for (const name of names) writeFileSync(directory.file(`sub/${name}`), name)
    const { folders } = trees()
    const entries = new ScannedEntries(folders.get(nameOf('sub')) ?? assert.fail())
    assert.deepEqual(entries.names().sort(), names.sort())
    for (const name of names) assert.equal(entries.factsOf(nameOf(name))?.size, name.length)
  })
})
