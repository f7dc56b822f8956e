import assert from 'node:assert/strict'
import { closeSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { directoryTree } from '#builder/tree'
import { type Name, nameOf, TsbuildError } from '#core'
import { startSwapper } from '../../suites/race/swapper.ts'
import { temporaryDirectory } from '../../support/peers/index.ts'

const DURATION_MS = 1500

/** `in`, `out`, or nothing while a link is in the way. */
function attempt(root: string): string {
  const tree = directoryTree(root)
  try {
    if (tree.lstat(nameOf('dir/f')) === undefined) return ''
    const descriptor = tree.openFile(nameOf('dir/f'))
    try {
      return readFileSync(descriptor, 'utf8')
    } finally {
      closeSync(descriptor)
    }
  } catch (error) {
    if (error instanceof TsbuildError) return ''
    throw error
  } finally {
    tree.close()
  }
}

describe('a context that changes while it is read', () => {
  it('never leads out of its root', async () => {
    using directory = temporaryDirectory('race')
    const root = directory.file('root')
    for (const path of ['root', 'root/dir', 'outside']) mkdirSync(directory.file(path))
    writeFileSync(directory.file('root/dir/f'), 'in')
    writeFileSync(directory.file('outside/f'), 'out')
    symlinkSync(directory.file('outside'), directory.file('root/link'))
    await using _swapper = await startSwapper(
      directory.file('root/dir'),
      directory.file('root/link'),
    )
    const seen = { in: 0, out: 0, '': 0, naive: 0 }
    const end = Date.now() + DURATION_MS
    while (Date.now() < end) {
      seen[attempt(root) as 'in' | 'out' | '']++
      if (readFileSync(directory.file('root/dir/f'), 'utf8') === 'out') seen.naive++
    }
    assert.equal(seen.out, 0)
    // The race was a real one: the plain path led out, and both states were met.
    assert.ok(seen.naive > 0 && seen.in > 0 && seen[''] > 0, JSON.stringify(seen))
  })

  it('does not see links that lead out, whatever they are written like', () => {
    using directory = temporaryDirectory('race')
    mkdirSync(directory.file('root'))
    mkdirSync(directory.file('outside'))
    writeFileSync(directory.file('outside/secret'), 'secret')
    const targets = [
      directory.file('outside'),
      '../outside',
      '../../../../../..',
      '/',
      'self/../..',
    ]
    for (const [index, target] of targets.entries()) {
      symlinkSync(target, directory.file(`root/link${index}`))
    }
    symlinkSync('../outside/secret', directory.file('root/file'))
    const tree = directoryTree(directory.file('root'))
    for (const name of tree.readdir('' as Name)) {
      assert.equal(tree.lstat(name)?.type, 'symlink')
      assert.equal(tree.lstat(nameOf(`${name}/secret`)), undefined)
      assert.equal(tree.lstat(nameOf(`${name}/etc`)), undefined)
      assert.throws(() => tree.openFile(name), { code: 'IO_FAILED' })
      assert.throws(() => tree.openFile(nameOf(`${name}/secret`)), { code: 'NOT_FOUND' })
      assert.throws(() => tree.readdir(name), { code: 'NOT_FOUND' })
    }
    tree.close()
  })
})
