import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { folderFaults } from './folders.ts'

describe('check of folders', () => {
  let root: string
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'tsbuild-folders-'))
  })
  afterEach(() => rmSync(root, { recursive: true }))

  function write(path: string, text: string): void {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }

  it('passes where folders point one way, and an index names them all', () => {
    write('a/index.ts', "export { x } from './b/x.ts'\n")
    write('a/b/x.ts', "import type { y } from '../c/y.ts'\n")
    write('a/c/y.ts', "import { z } from './z.ts'\n")
    write('a/c/z.ts', "// import { x } from '../b/x.ts'\nexport const z = 1\n")
    assert.deepEqual(folderFaults(root), [])
  })

  it('finds two folders that import each other, by types and dynamically, too', () => {
    write('a/b/x.ts', "import type {\n  y,\n} from '../c/y.ts'\n")
    write('a/c/y.ts', "export const load = () => import('../b/x.ts')\n")
    assert.deepEqual(folderFaults(root), [
      'a/b -> a/c -> a/b\n  a/b/x.ts imports ../c/y.ts\n  a/c/y.ts imports ../b/x.ts',
    ])
  })

  it('finds a folder and its parent', () => {
    write('a/x.ts', "import { y } from './b/y.ts'\n")
    write('a/b/y.ts', "import { x } from '../x.ts'\n")
    assert.match(folderFaults(root).join(), /^a\/b -> a -> a\/b\n/)
  })

  it('finds a cycle of three, through an area', () => {
    write('a/index.ts', '')
    write('a/x.ts', "import { y } from './b/y.ts'\n")
    write('a/b/y.ts', "import { z } from '../../d/z.ts'\n")
    write('d/z.ts', "export { x } from '#a'\n")
    assert.match(folderFaults(root).join(), /^a\/b -> d -> a -> a\/b\n/)
  })

  it('finds an import past the index of another area', () => {
    for (const area of ['a', 'd', 'test']) write(`${area}/tsconfig.json`, '{}')
    write('a/b/x.ts', '')
    write('d/y.ts', "import { x } from '#a'\nimport { x as same } from '../a/b/x.ts'\n")
    write('test/b.ts', "import { x } from '../a/b/x.ts'\n")
    assert.deepEqual(folderFaults(root), [
      'd/y.ts imports ../a/b/x.ts: import another area through its index, by #name',
    ])
  })

  it('finds a folder with too many files and folders', () => {
    for (let index = 0; index < 20; index++) write(`a/${index}.ts`, '')
    assert.deepEqual(folderFaults(root), [])
    write('a/b/c.ts', '')
    assert.deepEqual(folderFaults(root), ['a has 21 entries, more than 20'])
  })
})
