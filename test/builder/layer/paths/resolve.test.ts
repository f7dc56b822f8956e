import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { resolveInTree, stackTree } from '#builder/layer'
import type { Name, Tree } from '#core'
import { temporary } from '../support/files.ts'

describe('resolving a path in a tree', () => {
  const files = temporary()
  let tree: Tree

  before(() => {
    const root = files.fresh()
    for (const path of ['', 'usr', 'usr/lib', 'run', 'var']) mkdirSync(join(root, path))
    writeFileSync(join(root, 'usr/lib/f'), '')
    const links = {
      lib: 'usr/lib',
      'var/run': '/run',
      out: '../../../usr',
      loop: 'loop',
      ping: 'pong',
      pong: 'ping',
      self: '.',
      dangling: 'usr/none/deep',
      'usr/up': '..',
      chain: '/var/run/../../lib',
    }
    for (const [path, target] of Object.entries(links)) symlinkSync(target, join(root, path))
    for (let i = 0; i < 256; i++) symlinkSync(`n${i + 1}`, join(root, `n${i}`))
    tree = stackTree([root])
  })

  after(() => tree.close())

  const resolve = (path: string, followLast = true) =>
    resolveInTree(tree, path as Name, { followLast })

  it('follows links as a process would whose root is the tree', () => {
    const cases = {
      '': '',
      '/': '',
      'usr/lib/f': 'usr/lib/f',
      '/usr//lib/./f': 'usr/lib/f',
      'lib/f': 'usr/lib/f',
      'var/run/x': 'run/x',
      'out/lib': 'usr/lib',
      'self/self/lib': 'usr/lib',
      'usr/up/lib/f': 'usr/lib/f',
      chain: 'usr/lib',
      'lib/..': 'usr',
      '../../lib/../../..': '',
    }
    for (const [path, expected] of Object.entries(cases))
      assert.equal(resolve(path), expected, path)
  })

  it('keeps what is missing', () => {
    const cases = {
      none: 'none',
      'none/a/b': 'none/a/b',
      'none/../usr/up': '',
      'lib/none/x': 'usr/lib/none/x',
      dangling: 'usr/none/deep',
      'dangling/x': 'usr/none/deep/x',
      'usr/lib/f/below': 'usr/lib/f/below',
    }
    for (const [path, expected] of Object.entries(cases))
      assert.equal(resolve(path), expected, path)
  })

  it('does not follow the last link with followLast: false', () => {
    assert.deepEqual(
      ['lib', 'lib/', 'var/run', 'self/lib', 'loop', 'none'].map((path) => resolve(path, false)),
      ['lib', 'lib', 'var/run', 'lib', 'loop', 'none'],
    )
  })

  it('gives up after 255 links', () => {
    assert.equal(resolve('n1'), 'n256')
    for (const path of ['loop', 'ping/x', 'n0']) {
      assert.throws(() => resolve(path), { code: 'NOT_FOUND', message: /too many levels/ }, path)
    }
  })
})
