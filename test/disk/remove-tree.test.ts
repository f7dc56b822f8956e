import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { nameOf } from '#core'
import { removeEntry, removeTree, removeTreeSync } from '#disk'

describe('removal of a tree', () => {
  let top = ''
  beforeEach(() => {
    top = mkdtempSync(join(tmpdir(), 'tsbuild-remove-'))
  })
  afterEach(() => {
    removeTreeSync(top)
    assert.equal(existsSync(top), false)
  })

  it('takes files, links, folders of any mode, and names that are not text', async () => {
    const tree = makeTree(top)
    assert.equal(await removeTree(tree), true)
    assert.deepEqual(readdirSync(top), [])
    assert.equal(existsSync('/etc/passwd'), true)
  })

  it('does the same in one go, and in a folder that is open', () => {
    removeTreeSync(makeTree(top))
    makeTree(top)
    const parent = openSync(top, 'r')
    try {
      removeEntry(parent, nameOf('tree'))
    } finally {
      closeSync(parent)
    }
    assert.deepEqual(readdirSync(top), [])
  })

  it('is content with nothing', async () => {
    assert.equal(await removeTree(join(top, 'nothing')), true)
    assert.equal(await removeTree(join(top, 'no', 'where')), true)
  })

  it('takes folders of an ordinary user that their owner cannot read', async function () {
    if (process.geteuid?.() !== 0) this.skip()
    chownSync(top, 65_534, 65_534)
    process.seteuid?.(65_534)
    try {
      for (const mode of [0, 0o400, 0o500, 0o100]) {
        mkdirSync(join(top, 'a', 'b'), { recursive: true })
        writeFileSync(join(top, 'a', 'b', 'file'), '')
        chmodSync(join(top, 'a', 'b'), mode)
        chmodSync(join(top, 'a'), mode)
        assert.equal(await removeTree(join(top, 'a')), true, mode.toString(8))
      }
    } finally {
      process.seteuid?.(0)
    }
  })

  it('removes the rest when something cannot be removed', async function () {
    if (process.geteuid?.() !== 0) this.skip()
    mkdirSync(join(top, 'tree', 'theirs'), { recursive: true })
    writeFileSync(join(top, 'tree', 'theirs', 'file'), '')
    mkdirSync(join(top, 'tree', 'zzz', 'more'), { recursive: true })
    mkdirSync(join(top, 'tree', 'aaa'))
    chownSync(top, 65_534, 65_534)
    for (const name of ['tree', 'tree/zzz', 'tree/zzz/more', 'tree/aaa']) {
      chownSync(join(top, name), 65_534, 65_534)
    }
    process.seteuid?.(65_534)
    try {
      assert.equal(await removeTree(join(top, 'tree')), false)
      assert.throws(() => removeTreeSync(join(top, 'tree')), { code: 'EACCES' })
    } finally {
      process.seteuid?.(0)
    }
    assert.deepEqual(readdirSync(join(top, 'tree'), { recursive: true }).sort(), [
      'theirs',
      'theirs/file',
    ])
  })

  it('takes a tree deeper than the call stack and than any path', async () => {
    makeDeep(top, 12_000)
    assert.equal(await removeTree(join(top, 'd')), true)
    assert.deepEqual(readdirSync(top), [])
  })

  it('leaves what lies above a folder that is moved away meanwhile', async () => {
    makeDeep(top, 200)
    mkdirSync(join(top, 'elsewhere'))
    writeFileSync(join(top, 'elsewhere', 'kept'), '')
    const removing = removeTree(join(top, 'd'), { signal: AbortSignal.timeout(60_000) })
    // Far enough up to be closed by now, if it is in the middle of it; else nothing is there any more.
    const half = join(top, ...Array(100).fill('d'))
    if (existsSync(half)) renameSync(half, join(top, 'elsewhere', 'd'))
    await removing
    assert.equal(existsSync(join(top, 'elsewhere', 'kept')), true)
  })

  it('takes every tree', () => {
    const tree = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 5 },
        fc.constantFrom('file', 'link'),
        fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), tie('node'), { maxKeys: 4 }),
      ),
    })).node
    fc.assert(
      fc.property(tree, (made) => {
        makeNode(join(top, 'tree'), made)
        removeTreeSync(join(top, 'tree'))
        assert.deepEqual(readdirSync(top), [])
      }),
      { numRuns: 50 },
    )
  })
})

function makeTree(top: string): string {
  const tree = join(top, 'tree')
  mkdirSync(join(tree, 'closed', 'inner'), { recursive: true })
  writeFileSync(Buffer.concat([Buffer.from(`${tree}/`), Buffer.from([0xff, 0xfe])]), '')
  symlinkSync('/etc', join(tree, 'link'))
  chmodSync(join(tree, 'closed'), 0)
  return tree
}

/** Folders `d/d/d…`, made from inside: a path of them would be too long. */
function makeDeep(top: string, depth: number): void {
  let parent = openSync(top, 'r')
  for (let i = 0; i < depth; i++) {
    const path = `/proc/self/fd/${parent}/d`
    mkdirSync(path)
    const next = openSync(path, 'r')
    closeSync(parent)
    parent = next
  }
  closeSync(parent)
}

function makeNode(path: string, node: unknown): void {
  if (node === 'file') writeFileSync(path, '')
  else if (node === 'link') symlinkSync('..', path)
  else if (typeof node === 'object' && node !== null) {
    mkdirSync(path)
    for (const [name, child] of Object.entries(node)) makeNode(join(path, name), child)
  }
}
