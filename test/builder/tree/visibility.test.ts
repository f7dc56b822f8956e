import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { directoryTree } from '#builder/tree'
import { type Name, nameOf, type Tree } from '#core'
import type { IgnoreMatcher } from '../../../builder/tree/visibility.ts'
import { temporaryDirectory } from '../../support/peers/index.ts'

/** Ignores everything below the given directories but for some paths; records the paths of its queries. */
function matcher(ignored: readonly string[], included: readonly string[]): IgnoreMatcher {
  const isBelow = (path: string, top: string) => path === top || path.startsWith(`${top}/`)
  return {
    isIgnored: (path) =>
      ignored.some((top) => isBelow(path, top)) && !included.some((top) => isBelow(path, top)),
    mayContainIncluded: (path) => included.some((top) => isBelow(top, path)),
  }
}

function walk(tree: Tree, path: Name = '' as Name): string[] {
  return tree.readdir(path).flatMap((name) => {
    const child = nameOf(path === '' ? name : `${path}/${name}`)
    return tree.lstat(child)?.type === 'directory' ? [child, ...walk(tree, child)] : [child]
  })
}

describe('ignored paths of a context', () => {
  it('do not exist, in a listing or by name', () => {
    using directory = temporaryDirectory('ignore')
    mkdirSync(directory.file('out/deep'), { recursive: true })
    writeFileSync(directory.file('out/deep/f'), '')
    writeFileSync(directory.file('kept'), '')
    const tree = directoryTree(directory.path, { ignore: matcher(['out'], []) })
    assert.deepEqual(walk(tree), ['kept'])
    for (const path of ['out', 'out/deep', 'out/deep/f']) {
      assert.equal(tree.lstat(nameOf(path)), undefined)
    }
    tree.close()
  })

  it('exist again with the directories on the way when an exception includes them', () => {
    using directory = temporaryDirectory('ignore')
    mkdirSync(directory.file('out/a'), { recursive: true })
    mkdirSync(directory.file('out/b'))
    mkdirSync(directory.file('other/a'), { recursive: true })
    for (const path of ['out/a/keep', 'out/a/drop', 'out/b/drop', 'other/a/drop']) {
      writeFileSync(directory.file(path), '')
    }
    const ignore = matcher(['out', 'other'], ['out/a/keep', 'other/a/keep'])
    const tree = directoryTree(directory.path, { ignore })
    assert.deepEqual(walk(tree), ['out', 'out/a', 'out/a/keep'])
    // The exception may be below it, but is not: there is nothing to see.
    assert.equal(tree.lstat(nameOf('other')), undefined)
    assert.equal(tree.lstat(nameOf('out/a'))?.type, 'directory')
    tree.close()
  })

  it('are never looked into without need', () => {
    using directory = temporaryDirectory('ignore')
    symlinkSync('/proc', directory.file('out'))
    const queried: string[] = []
    const ignore: IgnoreMatcher = {
      isIgnored: () => true,
      mayContainIncluded: (path) => {
        queried.push(path)
        return true
      },
    }
    const tree = directoryTree(directory.path, { ignore })
    assert.deepEqual(tree.readdir('' as Name), [])
    assert.deepEqual(queried, ['out'])
    tree.close()
  })
})
