import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { type CopyAction, checksumFileActions } from '#builder/files'
import { directoryTree } from '#builder/tree'
import type { Name } from '#core'
import { parseDockerignore } from '#parser'
import type { IgnoreMatcher } from '../../../builder/tree/visibility.ts'
import { copy, readFile, type Workspace, workspace } from './fixture.ts'

/** Deeper than the call stack allows a recursion, and than PATH_MAX allows a path. */
const DEPTH = 5000
/** Deeper than PATH_MAX, for what reads each path from its start. */
const DEPTH_OF_PATHS = 2100

describe('a tree of thousands of folders in each other', function () {
  this.timeout(180_000)

  /** A workspace that is removed by rm(1): Node's own removal takes seconds for such a tree. */
  function removable(space: Workspace): Workspace {
    const remove = (): void => {
      execFileSync('rm', ['-rf', space.directory.path])
      space[Symbol.dispose]()
    }
    return { ...space, [Symbol.dispose]: remove }
  }

  /** `top/d/d/…/f` in the source. */
  function deep(depth = DEPTH): Workspace {
    const space = removable(workspace({ source: ['top/', 'top/other =x'] }))
    let parent = openSync(space.directory.file('source/top'), 'r')
    for (let i = 0; i < depth; i++) {
      const path = `/proc/self/fd/${parent}/d`
      mkdirSync(path)
      const next = openSync(path, 'r')
      closeSync(parent)
      parent = next
    }
    writeFileSync(`/proc/self/fd/${parent}/f`, 'deep')
    closeSync(parent)
    return space
  }

  const ways: Readonly<Record<string, Partial<CopyAction>>> = {
    COPY: {},
    'COPY --exclude with an exception': { exclude: ['d', '!**/f'] },
    'COPY --parents': { parents: true, paths: ['**/f'] },
  }
  for (const [way, options] of Object.entries(ways)) {
    it(`is taken by ${way}`, async () => {
      using space = deep(way === 'COPY' ? DEPTH : DEPTH_OF_PATHS)
      const actions = [copy('top', '/x/', options)]
      const input = { root: space.root, sources: space.sources, read: readFile }
      assert.match(checksumFileActions(actions, input).content, /^sha256:/)
      using result = await space.run(actions)
      let files = 0
      for (const change of result.changes) {
        if (change.kind === 'entry' && change.stat.type === 'file') files += 1
      }
      assert.ok(files >= 1)
    })
  }

  it('is unpacked by ADD', async () => {
    using space = removable(workspace({}))
    const source = space.directory.file('source')
    const script = `import tarfile
t = tarfile.open('${source}/a.tar', 'w', format=tarfile.PAX_FORMAT)
i = tarfile.TarInfo('d/' * ${DEPTH_OF_PATHS} + 'f')
t.addfile(i)
t.close()`
    execFileSync('python3', ['-c', script])
    using result = await space.run([copy('a.tar', '/x/', { unpack: 'auto' })])
    assert.ok([...result.changes].length > DEPTH_OF_PATHS)
  })

  it('is looked through for what a .dockerignore includes again', () => {
    using space = deep(DEPTH_OF_PATHS)
    const matcher: IgnoreMatcher = parseDockerignore('top\n!**/f\n!**/other\n')
    const tree = directoryTree(space.directory.file('source'), { ignore: matcher })
    try {
      assert.equal(tree.lstat('top' as Name)?.type, 'directory')
      assert.deepEqual(tree.readdir('top/d/d' as Name), ['d'])
    } finally {
      tree.close()
    }
  })
})
