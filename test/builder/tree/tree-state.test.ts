import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { treeState } from '#builder/tree'
import { nameOf } from '#core'
import { parseDockerignore } from '#parser'
import { type TemporaryDirectory, temporaryDirectory } from '../../support/peers/index.ts'

/** More than one listing of the kernel has, and more than two. */
const MANY = 3000

describe('the state of a tree', () => {
  let directory: TemporaryDirectory
  beforeEach(() => {
    directory = temporaryDirectory('state')
    mkdirSync(directory.file('tree/sub/deep'), { recursive: true })
    for (const path of ['a', 'b', 'sub/c', 'sub/deep/d']) writeFileSync(at(path), path)
    symlinkSync('a', at('link'))
  })
  afterEach(() => directory[Symbol.dispose]())

  function at(path: string): string {
    return directory.file(`tree/${path}`)
  }

  interface Asked {
    readonly paths?: readonly string[]
    readonly ignore?: string
    readonly leftOut?: string
  }

  function stateOf({ paths = [''], ignore, leftOut }: Asked = {}) {
    const work = treeState(directory.file('tree'), {
      paths: paths.map(nameOf),
      ignore: ignore === undefined ? undefined : parseDockerignore(ignore),
      leftOut,
    })
    for (;;) {
      const { done, value } = work.next()
      if (done) return value
    }
  }

  const digest = (asked?: Asked): string => stateOf(asked)?.digest ?? assert.fail('no state')

  it('is the same as long as files are only read', () => {
    utimesSync(at('a'), 1, 2)
    const before = digest()
    for (const path of ['a', 'sub/deep/d']) readFileSync(at(path))
    assert.equal(digest(), before)
    assert.equal(digest({ paths: ['a', 'sub'] }), digest({ paths: ['a', 'sub'] }))
  })

  const changes: Readonly<Record<string, () => void>> = {
    'another content of the same size and time': () => {
      const { atime, mtime } = lstatSync(at('sub/deep/d'))
      writeFileSync(at('sub/deep/d'), 'SUB/DEEP/D')
      utimesSync(at('sub/deep/d'), atime, mtime)
    },
    'another file in its place': () => {
      writeFileSync(at('../other'), 'b')
      const { atime, mtime } = lstatSync(at('b'))
      utimesSync(at('../other'), atime, mtime)
      renameSync(at('../other'), at('b'))
    },
    'another size': () => writeFileSync(at('a'), 'aa'),
    'another mode': () => chmodSync(at('b'), 0o755),
    'another mode of a folder': () => chmodSync(at('sub'), 0o700),
    'another name': () => renameSync(at('sub/c'), at('sub/C')),
    'names that are exchanged': () => {
      renameSync(at('a'), at('x'))
      renameSync(at('b'), at('a'))
      renameSync(at('x'), at('b'))
    },
    'another place': () => renameSync(at('sub/c'), at('sub/deep/c')),
    'a new file': () => writeFileSync(at('sub/deep/e'), ''),
    'a new folder': () => mkdirSync(at('sub/empty')),
    'a missing file': () => rmSync(at('sub/c')),
    'a link that leads elsewhere': () => {
      rmSync(at('link'))
      symlinkSync('b', at('link'))
    },
    'a second name': () => linkSync(at('a'), directory.file('second')),
  }

  for (const [what, change] of Object.entries(changes)) {
    it(`is another with ${what}`, () => {
      const before = digest()
      change()
      assert.notEqual(digest(), before)
    })
  }

  it('is another with another owner', function () {
    if (process.geteuid?.() !== 0) this.skip()
    const before = digest()
    chownSync(at('sub/c'), 3, 4)
    assert.notEqual(digest(), before)
  })

  it('has the last change of what is in it', () => {
    const before = Date.now() - 10_000
    assert.ok((stateOf()?.changedAt ?? 0) > before)
    utimesSync(at('sub/deep/d'), 1, 4_000_000_000.5)
    assert.equal(stateOf()?.changedAt, 4_000_000_000_500)
    assert.ok((stateOf({ paths: ['a'] })?.changedAt ?? 0) < 4_000_000_000_000)
  })

  it('is that of the paths, and of nothing else', () => {
    const before = digest({ paths: ['sub', 'b'] })
    writeFileSync(at('a'), 'changed')
    writeFileSync(at('new'), '')
    assert.equal(digest({ paths: ['sub', 'b'] }), before)
    assert.notEqual(digest({ paths: ['b', 'sub'] }), before)
    writeFileSync(at('b'), 'changed')
    assert.notEqual(digest({ paths: ['sub', 'b'] }), before)
  })

  it('has nothing that is ignored, and what is included again', () => {
    const ignore = '**/d\nsub/deep\n!sub/deep/kept\nb\n'
    writeFileSync(at('sub/deep/kept'), '')
    const before = digest({ ignore })
    for (const path of ['b', 'sub/deep/d']) writeFileSync(at(path), 'changed')
    assert.equal(digest({ ignore }), before)
    writeFileSync(at('sub/deep/kept'), 'changed')
    assert.notEqual(digest({ ignore }), before)
  })

  it('has no folder that is left out', () => {
    const leftOut = at('sub/deep')
    const before = digest({ leftOut })
    writeFileSync(at('sub/deep/d'), 'changed')
    assert.equal(digest({ leftOut }), before)
    writeFileSync(at('sub/c'), 'changed')
    assert.notEqual(digest({ leftOut }), before)
  })

  it('counts every file of a large folder', () => {
    mkdirSync(at('large'))
    for (let index = 0; index < MANY; index += 1) writeFileSync(at(`large/${index}`), '')
    const before = digest()
    assert.equal(digest(), before)
    for (const index of [0, MANY / 2, MANY - 1]) {
      writeFileSync(at(`large/${index}`), 'x')
      const after = digest()
      assert.notEqual(after, before)
      writeFileSync(at(`large/${index}`), '')
    }
  })

  it('counts names that are no text', () => {
    const bytes = Buffer.from(`${at('sub/')}\xff`, 'latin1')
    const before = digest()
    writeFileSync(bytes, '')
    const one = digest()
    assert.notEqual(one, before)
    writeFileSync(bytes, 'x')
    assert.notEqual(digest(), one)
  })

  it('is not told for a link, what is not there, or very deep folders', () => {
    assert.equal(stateOf({ paths: ['link'] }), undefined)
    assert.equal(stateOf({ paths: ['none'] }), undefined)
    assert.equal(stateOf({ paths: ['a/b'] }), undefined)
    mkdirSync(at('d/'.repeat(60)), { recursive: true })
    assert.notEqual(stateOf(), undefined)
    mkdirSync(at('d/'.repeat(70)), { recursive: true })
    assert.equal(stateOf(), undefined)
  })
})
