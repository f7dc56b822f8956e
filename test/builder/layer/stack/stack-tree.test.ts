import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import {
  closeSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { stackTree } from '#builder/layer'
import { makeWhiteout, opaqueXattr, setXattr } from '#builder/linux'
import type { Name } from '#core'
import { isRoot, temporary } from '../support/files.ts'
import { outline } from '../support/listing.ts'

describe('the merged view of layers', () => {
  const files = temporary()

  /** One directory a layer, the lowest first; `null` is a whiteout. */
  function layers(...contents: readonly Readonly<Record<string, string | null>>[]): string[] {
    return contents
      .map((content) => {
        const root = files.fresh()
        mkdirSync(root)
        for (const [path, text] of Object.entries(content)) {
          const host = join(root, path)
          if (text === null) makeWhiteout(host)
          else if (path.endsWith('/')) mkdirSync(host)
          else writeFileSync(host, text)
          if (text === 'opaque') setXattr(host, opaqueXattr(), Buffer.from('y'))
        }
        return root
      })
      .reverse()
  }

  function shown(directories: readonly string[]): string[] {
    const tree = stackTree(directories)
    const lines = outline(tree)
    tree.close()
    return lines
  }

  it('of none is an empty directory', () => {
    const tree = stackTree([])
    assert.deepEqual(tree.readdir('' as Name), [])
    assert.equal(tree.lstat('' as Name)?.type, 'directory')
    assert.equal(tree.lstat('a' as Name), undefined)
    tree.close()
  })

  it('honours whiteouts and opaque marks, on every layer', function () {
    if (!isRoot) this.skip()
    const stack = layers(
      { 'd/': '', 'd/a': '1', 'd/b': '1', 'e/': '', 'e/x': '1', f: '1', g: '1' },
      {
        'd/': '',
        'd/a': null,
        'd/c': '2',
        'e/': 'opaque',
        'e/y': '2',
        f: null,
        'g/': '',
        'g/h': '2',
      },
      { 'd/': '', 'd/a': '3', f: null, 'e/': '', 'e/z': '3' },
    )
    assert.deepEqual(shown(stack), [
      'd/',
      'd/a=3',
      'd/b=1',
      'd/c=2',
      'e/',
      'e/y=2',
      'e/z=3',
      'g/',
      'g/h=2',
    ])
    assert.deepEqual(shown(stack.slice(1)), ['d/', 'd/b=1', 'd/c=2', 'e/', 'e/y=2', 'g/', 'g/h=2'])
  })

  it('reports what it cannot do', () => {
    const [root = ''] = layers({ f: '1', 'd/': '' })
    symlinkSync('f', join(root, 'l'))
    const tree = stackTree([root])
    const failures = [
      () => tree.readdir('f' as Name),
      () => tree.readdir('none' as Name),
      () => tree.readlink('none' as Name),
      () => tree.openFile('d' as Name),
      () => tree.xattrs('none' as Name),
    ]
    for (const fail of failures) assert.throws(fail, { code: 'IO_FAILED' })
    assert.throws(() => tree.openFile('l' as Name), /ELOOP/)
    assert.equal(tree.lstat('f/x' as Name), undefined)
    assert.equal(tree.lstat('l/x' as Name), undefined)
    tree.close()
    assert.throws(() => stackTree([root, '/nonexistent/layer']), { code: 'IO_FAILED' })
  })

  it('of 400 layers needs few descriptors, and keeps none', () => {
    const before = readdirSync('/proc/self/fd').length
    const stack = layers(
      ...Array.from({ length: 400 }, (_, i) => ({
        'a/': '',
        'a/b/': '',
        'a/b/c/': '',
        [`a/b/c/f${i}`]: `${i}`,
        'a/x/': '',
      })),
    )
    const tree = stackTree(stack)
    for (const path of ['a/b/c', 'a/x', 'a/b', 'a/b/c']) tree.readdir(path as Name)
    const fd = tree.openFile('a/b/c/f0' as Name)
    assert.equal(readFileSync(fd, 'latin1'), '0')
    closeSync(fd)
    assert.equal(tree.readdir('a/b/c' as Name).length, 400)
    assert(readdirSync('/proc/self/fd').length - before < 400 * 6)
    tree.close()
    assert.equal(readdirSync('/proc/self/fd').length, before)
  })
})
